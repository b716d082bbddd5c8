// SPDX-License-Identifier: Apache-2.0

/** Where output goes: people or programs. */
export interface Printer {
  /** A line for people; nothing with --json. */
  line(text: string): void;
  /** What is happening now: overwritten on a terminal, a plain line each elsewhere. */
  doing(text: string): void;
  /** One JSON value on one line, with --json only. */
  value(value: unknown): void;
  readonly json: boolean;
}

interface Stream {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

const CLEAR_LINE = '\r\u001b[2K';
const COLUMNS = 100;

/** Plain lines to `out`, what is happening to `err`: results can be piped, progress is seen. */
export function openPrinter(json: boolean, out: Stream, err: Stream): Printer {
  let pending = false;
  let lastDoing = '';
  const clear = () => {
    if (pending) err.write(CLEAR_LINE);
    pending = false;
  };
  return {
    json,
    line: (text) => {
      clear();
      if (!json) out.write(`${plain(text)}\n`);
    },
    doing: (text) => {
      if (text === lastDoing) return;
      lastDoing = text;
      if (err.isTTY !== true) return void err.write(`${plain(text)}\n`);
      err.write(CLEAR_LINE + plain(text).slice(0, COLUMNS));
      pending = true;
    },
    value: (value) => {
      clear();
      if (json) out.write(`${JSON.stringify(value)}\n`);
    },
  };
}

/** Names of a compromised system must not steer the terminal: no control characters but newline. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Bytes for people, e.g. 3.4 MiB. */
export function bytesText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1_024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`;
}

// SPDX-License-Identifier: Apache-2.0

/** Where output goes: people or programs. */
export interface Printer {
  /** A line for people; nothing with --json. */
  line(text: string): void;
  /** What is happening now: overwritten on a terminal, a plain line each elsewhere. */
  doing(text: string): void;
  /** One JSON object on one line, with --json only; `kind` says what it is. */
  value(kind: string, value: object): void;
  /** A fault on `err`, also with --json. */
  error(text: string): void;
  readonly json: boolean;
}

interface Stream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const CLEAR_LINE = '\r\u001b[2K';
const COLUMNS = 80;

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
      // One column is left free: a full line would wrap, and only its end would be overwritten.
      err.write(CLEAR_LINE + plain(text).slice(0, (err.columns || COLUMNS) - 1));
      pending = true;
    },
    error: (text) => {
      clear();
      err.write(`impound: ${plainLines(text)}\n`);
    },
    value: (kind, value) => {
      clear();
      if (json) out.write(`${jsonLine({ kind, ...value })}\n`);
    },
  };
}

const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Names of a compromised system must not steer the terminal nor make up lines: control and format
 * characters, line separators and lone surrogates are spelled out.
 */
function plain(text: string): string {
  return text.replaceAll(STEERING, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
  });
}

/**
 * Some lines, each after the first indented: what a fault quotes cannot pass for a line of ours.
 */
function plainLines(text: string): string {
  return text.trimEnd().split('\n').map(plain).join('\n    ');
}

/** JSON escapes what is below a space only; in its strings the rest may be escaped as well. */
function jsonLine(value: object): string {
  const unit = (code: number) => `\\u${code.toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replaceAll(STEERING, (character) =>
    [...Array(character.length).keys()].map((at) => unit(character.charCodeAt(at))).join(''),
  );
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Bytes for people, e.g. 3.4 MiB. */
export function bytesText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1_024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`;
}

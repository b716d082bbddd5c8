// SPDX-License-Identifier: Apache-2.0
const LOG_BYTES_MAX = 1024 * 1024;

/** One line a container wrote, with its line end if it had one. */
export interface LogLine {
  readonly time: Date;
  readonly text: string;
}

/** The output of a container's main process, the newest mebibyte of it. */
export interface LogBuffer {
  readonly lines: readonly LogLine[];
  append(data: Buffer): void;
}

/** An empty log. */
export function logBuffer(): LogBuffer {
  const lines: LogLine[] = [];
  let bytes = 0;
  return {
    lines,
    append: (data) => {
      for (const text of data.toString('utf8').match(/[^\n]*\n|[^\n]+/g) ?? []) {
        const last = lines.at(-1);
        if (last === undefined || last.text.endsWith('\n')) lines.push({ time: new Date(), text });
        else lines[lines.length - 1] = { time: last.time, text: last.text + text };
        bytes += text.length;
      }
      while (bytes > LOG_BYTES_MAX) bytes -= lines.shift()?.text.length ?? bytes;
    },
  };
}

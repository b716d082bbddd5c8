// SPDX-License-Identifier: Apache-2.0

/** One header line: its first word and its fields, every one ASCII and bounded. */
export interface Header {
  readonly kind: string;
  readonly fields: ReadonlyMap<string, string>;
}

const WORD = /^[a-z]{1,16}$/;
const FIELD = /^([a-z][a-z0-9]{0,15})=([A-Za-z0-9._,:+-]{1,200})$/;

/** Reads a header line, or gives undefined for anything that is none. */
export function parseHeader(line: Buffer): Header | undefined {
  const [kind, ...words] = line.toString('latin1').split(' ');
  if (kind === undefined || !WORD.test(kind)) return undefined;
  const fields = new Map<string, string>();
  for (const word of words) {
    const [, name, value] = FIELD.exec(word) ?? [];
    if (name === undefined || value === undefined || fields.has(name)) return undefined;
    fields.set(name, value);
  }
  return { kind, fields };
}

/** A field's value as a count, or undefined where it is none or beyond 2^53. */
export function countOf(header: Header, name: string): number | undefined {
  const text = header.fields.get(name);
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const count = Number(text);
  return Number.isSafeInteger(count) ? count : undefined;
}

// SPDX-License-Identifier: Apache-2.0

/** What an array holds: a text, or what has the same form in SQL; bytes in the form of bytea. */
export type Item = string | number | boolean | null | Buffer;

/** An array as Postgres reads it from text. */
export function arrayText(items: readonly Item[]): string {
  return `{${items.map(itemText).join()}}`;
}

const TO_ESCAPE = /["\\]/g;

function itemText(item: Item): string {
  if (item === null) return 'NULL';
  if (typeof item === 'object') return `"\\\\x${item.toString('hex')}"`;
  if (typeof item !== 'string') return String(item);
  return `"${item.includes('"') || item.includes('\\') ? item.replace(TO_ESCAPE, '\\$&') : item}"`;
}

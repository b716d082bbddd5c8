// SPDX-License-Identifier: Apache-2.0

/** What an array holds: a text, or what has the same form in SQL. */
export type Item = string | number | boolean | null;

/** An array as Postgres reads it from text; the driver makes it item by item, which costs more. */
export function arrayText(items: readonly Item[]): string {
  return `{${items.map(itemText).join()}}`;
}

const TO_ESCAPE = /["\\]/g;

function itemText(item: Item): string {
  if (item === null) return 'NULL';
  if (typeof item !== 'string') return String(item);
  return `"${item.includes('"') || item.includes('\\') ? item.replace(TO_ESCAPE, '\\$&') : item}"`;
}

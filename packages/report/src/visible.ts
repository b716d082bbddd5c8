// SPDX-License-Identifier: Apache-2.0

/** Controls, marks of direction, what has no width, other spaces, lone surrogates, unassigned. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}|\p{Default_Ignorable_Code_Point}/gu;
const NOT_ASCII = /[^\x20-\x7e]/gu;

/** Text in which nothing hides: what cannot be seen or turns text around stands as \u{hex}. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escaped);
}

/**
 * Text in printable ASCII only, all else as \u{hex}: no letter can look like another one. What a
 * report for a court prints; the exact characters are in the entry's bytes.
 */
export function ascii(text: string): string {
  return text.replace(NOT_ASCII, escaped);
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

// SPDX-License-Identifier: Apache-2.0

const CUT = '…';

/** A text of at most so many UTF-16 units, cut with an ellipsis and never inside a character. */
export function cut(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const end = charactersMax - CUT.length;
  const splits = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return text.slice(0, splits ? end - 1 : end) + CUT;
}

/** Sentences in one text; where they are too long together, each gets the same share. */
export function listed(sentences: readonly string[], charactersMax: number): string {
  const whole = sentences.join('; ');
  if (whole.length <= charactersMax) return whole;
  const share = Math.floor(charactersMax / sentences.length) - '; '.length;
  return cut(sentences.map((sentence) => cut(sentence, share)).join('; '), charactersMax);
}

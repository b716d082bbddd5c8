// SPDX-License-Identifier: Apache-2.0
import type { SayReply } from '@impound/contracts/say.ts';

/** A say that was not recorded. */
export type Refusal = Extract<SayReply, { ok: false }>;

const BECAUSE_CHARACTERS_MAX = 1_000;

/** Refuses in words that fit the contract of an answer, whatever a hostile say put into them. */
export function refusal(kind: Refusal['refusal'], because: string, version: number): Refusal {
  return { ok: false, refusal: kind, because: plain(because), version };
}

function plain(words: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const cleaned = words.replaceAll(/[\x00-\x08\x0b-\x1f\x7f]/g, ' ');
  return cleaned.slice(0, BECAUSE_CHARACTERS_MAX).toWellFormed();
}

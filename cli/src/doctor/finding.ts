// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '@impound/runtime/fault.ts';

/**
 * What a look at one thing gives: `ok`; `advice`, where it works and could be better; `sick`, where
 * it does not keep what it promises; `unknown`, where nobody could look.
 */
export type Verdict = 'ok' | 'advice' | 'sick' | 'unknown';

/** One plain sentence about one thing, and what to do. */
export interface Finding {
  readonly check: string;
  readonly verdict: Verdict;
  readonly what: string;
  /** Always there, but for `ok`. */
  readonly next?: string;
}

/** Makes the findings of one check. */
export interface Check {
  readonly name: string;
  ok(what: string): Finding;
  advice(what: string, next: string): Finding;
  sick(what: string, next: string): Finding;
  unknown(what: string, next: string): Finding;
}

export function checkOf(name: string): Check {
  const finding = (verdict: Verdict) => (what: string, next: string) => {
    return { check: name, verdict, what, next };
  };
  return {
    name,
    ok: (what) => ({ check: name, verdict: 'ok', what }),
    advice: finding('advice'),
    sick: finding('sick'),
    unknown: finding('unknown'),
  };
}

/** Looks, and says so where it cannot: a check that was not done is never well. */
export async function examine(
  name: string,
  next: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [checkOf(name).unknown(`it could not be looked at: ${messageOf(error)}`, next)];
  }
}

// SPDX-License-Identifier: Apache-2.0
import { endsAcquisition } from '@impound/contracts/chain.ts';
import type { Entry } from '@impound/contracts/entry.ts';

/** Objects that no entry names. */
export interface JudgedStrays {
  /** What an interrupted try has left that was made again, or is told to have ended without. */
  readonly left: readonly string[];
  readonly findings: readonly string[];
}

/** Types of which each says that an epoch has ended before its evidence was captured. */
const FALLS = new Set(['execution.failed.v1', 'execution.lapsed.v1']);

/**
 * Whoever dies between the store's answer and the ledger's leaves an object that nobody has named;
 * it is written once, so the next try has a place of its own. That is no loss where the chain tells
 * that the try came to nothing: by what it says of the context, or by the end of the epoch.
 * Keys are tenant/acquisition/set/name.
 */
export function judgeStrays(
  chains: ReadonlyMap<string, readonly Entry[]>,
  keys: readonly string[],
): JudgedStrays {
  const told = JSON.stringify([...chains.values()]);
  const strays = keys.filter((key) => !told.includes(`"${key}"`));
  const isLeft = (key: string) => {
    const [, acquisitionId = '', set = ''] = key.split('/');
    const chain = chains.get(acquisitionId) ?? [];
    if (set.startsWith('context')) return chain.some(tellsOfContext);
    return chain.some(({ event }) => FALLS.has(event.type) && `e${event.data['epoch']}` === set);
  };
  return {
    left: strays.filter(isLeft),
    findings: strays.filter((key) => !isLeft(key)).map((key) => `stored, and not told: ${key}`),
  };
}

/** What is sealed has one, or says why not; any other end may come before it. */
function tellsOfContext({ event: { type } }: Entry): boolean {
  const isOtherEnd = endsAcquisition(type) && type !== 'acquisition.sealed.v1';
  return isOtherEnd || type === 'context.captured.v1';
}

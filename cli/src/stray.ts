// SPDX-License-Identifier: Apache-2.0
import { endsAcquisition, fold } from '@impound/contracts/chain.ts';
import type { Entry } from '@impound/contracts/entry.ts';

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const SET = /context(?:-[0-9a-f]{8})?|e\d+/;
const KEY = new RegExp(`[^/\\s]+/${ID.source}/(?:${SET.source})/[^/\\s]+$`);

/** The key of an object, wherever in its line the listing of a store has it. */
export function keyIn(line: string): string | undefined {
  return KEY.exec(line.trimEnd())?.[0];
}

/** What a chain tells of an object in the store. */
export interface Stray {
  /** Of an acquisition that goes on it may yet be named; `left` by a try; `strange`: by nobody. */
  readonly kind: 'named' | 'open' | 'left' | 'strange';
  /** Nobody can have stored it before; absent where no chain tells. */
  readonly since?: string | undefined;
  readonly because: string;
}

/**
 * Holds an object against the chain of its acquisition. Whoever dies between the store's answer and
 * the ledger's leaves one that nobody named: the end of its epoch, or of the acquisition, says so.
 */
export function judgeObject(key: string, chain: readonly Entry[]): Stray {
  const [, , set = ''] = key.split('/');
  if (chain.length === 0) return { kind: 'strange', because: 'no acquisition of its id is known' };
  if (JSON.stringify(chain).includes(JSON.stringify(key))) return { kind: 'named', because: '' };
  const ended = chain.some(({ event }) => endsAcquisition(event.type));
  if (!ended) return { kind: 'open', because: '' };
  const { executions, requestedAt } = fold(chain);
  if (set.startsWith('context')) {
    const because = 'discovery was interrupted before it said that it had stored the context';
    return { kind: 'left', since: requestedAt, because };
  }
  const epoch = executions.find(({ assigned }) => `e${assigned.epoch}` === set);
  const because = epoch?.failed?.because ?? epoch?.lapsed?.because ?? epoch?.rejected?.because;
  if (epoch === undefined) return { kind: 'strange', because: `its chain has no ${set}` };
  const { assigned, assignedAt: since } = epoch;
  if (because === undefined) {
    const named = `epoch ${assigned.epoch} captured evidence, and names this object nowhere`;
    return { kind: 'strange', since, because: named };
  }
  return { kind: 'left', since, because: `epoch ${assigned.epoch} ended without it: ${because}` };
}

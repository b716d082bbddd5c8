// SPDX-License-Identifier: Apache-2.0
import type { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import type { ReplyOf } from '@impound/contracts/question.ts';
import type { SessionName } from './object-name.ts';

/** Why an upload may not begin. */
export interface OpeningRefusal {
  readonly code: 'acquisition-unknown' | 'acquisition-ended' | 'epoch-not-live' | 'not-claimant';
  readonly because: string;
}

/** Whether a set is one try of discovery to keep the control-plane context. */
export function isContextSet(set: string): boolean {
  return set === 'context' || set.startsWith('context-');
}

/** Holds the wish to upload against the chain; undefined where it may begin. */
export function refuseOpening(
  session: SessionName,
  head: ReplyOf<typeof LedgerHeadV1>,
): OpeningRefusal | undefined {
  const { acquisitionId, set, worker } = session;
  if (head.version === 0) {
    return { code: 'acquisition-unknown', because: `there is no acquisition ${acquisitionId}` };
  }
  if (head.ended) {
    return { code: 'acquisition-ended', because: `${acquisitionId} has ended: it takes no more` };
  }
  if (isContextSet(set)) return undefined;
  if (`e${head.epoch}` !== set) {
    const live = head.epoch === undefined ? 'no epoch is' : `epoch ${head.epoch} is`;
    return { code: 'epoch-not-live', because: `${set} is not live in the chain; ${live}` };
  }
  if (head.claimedBy !== worker) {
    return { code: 'not-claimant', because: `${worker} does not hold the claim of ${set}` };
  }
  return undefined;
}

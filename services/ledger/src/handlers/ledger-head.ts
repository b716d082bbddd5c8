// SPDX-License-Identifier: Apache-2.0
import type { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { type ChainHead, isToStop } from '../domain/head.ts';

/** What came of events. */
export interface Causes {
  /** Whether a service has said something in this chain because of an event. */
  hasCaused(acquisitionId: string, by: { id: string; service: string }): Promise<boolean>;
}

/** Answers where a chain stands, from what is committed; a chain of another tenant is none. */
export async function ledgerHead(
  request: RequestOf<typeof LedgerHeadV1>,
  deps: {
    readonly chains: Causes;
    readonly headOf: (acq: string) => Promise<ChainHead | undefined>;
  },
): Promise<ReplyOf<typeof LedgerHeadV1>> {
  const { tenant, acquisitionId, causedBy } = request;
  // First what was caused: an answer that comes in between then shows in the version only.
  const caused = causedBy && (await deps.chains.hasCaused(acquisitionId, causedBy));
  const head = await deps.headOf(acquisitionId.toLowerCase());
  if (head === undefined || head.tenant !== tenant) {
    const none = { version: 0, stop: false, ended: false };
    return causedBy === undefined ? none : { ...none, caused: false };
  }
  return {
    version: head.version,
    head: head.last,
    ...(head.live ? { epoch: head.epoch } : {}),
    ...(head.live && head.claimedBy !== undefined
      ? { claimedBy: head.claimedBy as NonNullable<ReplyOf<typeof LedgerHeadV1>['claimedBy']> }
      : {}),
    stop: isToStop(head),
    ended: head.ended !== undefined,
    ...(head.ended === undefined ? {} : { ending: head.ended }),
    ...(caused === undefined ? {} : { caused }),
  };
}

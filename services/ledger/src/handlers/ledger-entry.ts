// SPDX-License-Identifier: Apache-2.0
import type { LedgerEntryV1 } from '@impound/contracts/ask/ledger.entry.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';

/** Single entries. */
export interface Entries {
  entry(of: {
    readonly tenant: string;
    readonly eventId: string;
  }): Promise<ReplyOf<typeof LedgerEntryV1>>;
}

/** Answers where an event stands, from what is committed; another tenant's is none. */
export async function ledgerEntry(
  request: RequestOf<typeof LedgerEntryV1>,
  deps: { readonly chains: Entries },
): Promise<ReplyOf<typeof LedgerEntryV1>> {
  return await deps.chains.entry(request);
}

// SPDX-License-Identifier: Apache-2.0
import type { LedgerOpenV1 } from '@impound/contracts/ask/ledger.open.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';

/** Chains that have not ended. */
export interface OpenChains {
  open(wanted: RequestOf<typeof LedgerOpenV1>): Promise<ReplyOf<typeof LedgerOpenV1>['chains']>;
}

/** Answers which chains have not ended, oldest first. */
export async function ledgerOpen(
  request: RequestOf<typeof LedgerOpenV1>,
  deps: { readonly chains: OpenChains },
): Promise<ReplyOf<typeof LedgerOpenV1>> {
  return { chains: await deps.chains.open(request) };
}

// SPDX-License-Identifier: Apache-2.0
import type { LedgerListV1 } from '@impound/contracts/ask/ledger.list.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';

/** Acquisitions of a tenant. */
export interface Acquisitions {
  list(
    wanted: RequestOf<typeof LedgerListV1>,
  ): Promise<ReplyOf<typeof LedgerListV1>['acquisitions']>;
}

/** Answers which acquisitions a tenant has, newest first. */
export async function ledgerList(
  request: RequestOf<typeof LedgerListV1>,
  deps: { readonly chains: Acquisitions },
): Promise<ReplyOf<typeof LedgerListV1>> {
  return { acquisitions: await deps.chains.list(request) };
}

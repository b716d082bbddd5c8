// SPDX-License-Identifier: Apache-2.0
import type { LedgerConsistencyV1 } from '@impound/contracts/ask/ledger.consistency.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { consistencyPath } from '@impound/transparency/proof.ts';
import { rangeRoots } from '@impound/transparency/tile-reader.ts';
import type { ProofBook } from './proof-ports.ts';

/** Answers how a larger tree goes on from a smaller one. */
export async function ledgerConsistency(
  { from, to }: RequestOf<typeof LedgerConsistencyV1>,
  { proofs }: { readonly proofs: Pick<ProofBook, 'size' | 'tiles'> },
): Promise<ReplyOf<typeof LedgerConsistencyV1>> {
  if (from > to || to > (await proofs.size())) return {};
  const path = await consistencyPath(rangeRoots(proofs.tiles, to), from, to);
  return { path: path.map((hash) => hash.toString('base64')) };
}

// SPDX-License-Identifier: Apache-2.0
import type { LedgerSignersV1 } from '@impound/contracts/ask/ledger.signers.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { inclusionPath } from '@impound/transparency/proof.ts';
import { rangeRoots } from '@impound/transparency/tile-reader.ts';
import type { ProofBook } from './proof-ports.ts';

/** What the log says of those who sign what they say. */
export interface SignerBook {
  /** In the order of the log, behind one index and below another. */
  entries(of: {
    readonly after: number;
    readonly below: number;
    readonly limit: number;
  }): Promise<readonly { readonly index: number; readonly entry: string }[]>;
}

const PAGE = 32;

/** Answers who signs what they say, with the proof of each entry that puts it on record. */
export async function ledgerSigners(
  { size, after = -1 }: RequestOf<typeof LedgerSignersV1>,
  deps: {
    readonly proofs: Pick<ProofBook, 'size' | 'tiles'>;
    readonly signers: SignerBook;
  },
): Promise<ReplyOf<typeof LedgerSignersV1>> {
  const { proofs, signers } = deps;
  if (size > (await proofs.size())) return { entries: [], more: false };
  const found = await signers.entries({ after, below: size, limit: PAGE + 1 });
  const entries = found.slice(0, PAGE).map(async ({ index, entry }) => {
    const path = await inclusionPath(rangeRoots(proofs.tiles, size), index, size);
    return { index, entry, path: path.map((hash) => hash.toString('base64')) };
  });
  return { entries: await Promise.all(entries), more: found.length > PAGE };
}

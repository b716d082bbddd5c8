// SPDX-License-Identifier: Apache-2.0
import type { LedgerProofV1 } from '@impound/contracts/ask/ledger.proof.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { inclusionPath } from '@impound/transparency/proof.ts';
import { type RangeRoot, rangeRoots } from '@impound/transparency/tile-reader.ts';
import type { ProofBook } from './proof-ports.ts';

const PROOFS_MAX = 100;

/** Answers where the entries of a chain stand in a tree that is signed, or was on the way there. */
export async function ledgerProof(
  of: RequestOf<typeof LedgerProofV1>,
  { proofs }: { readonly proofs: ProofBook },
): Promise<ReplyOf<typeof LedgerProofV1>> {
  const below = Math.min(of.size, await proofs.size());
  const { version, entries } = await proofs.places({ ...of, below, limit: PROOFS_MAX });
  // A size that the log does not have yet has no tree to lead to.
  if (below < of.size) return { version, entries: [] };
  const root = rangeRoots(proofs.tiles, of.size);
  const placed = await Promise.all(
    entries.map(async ({ acqSeq, index }) => ({
      acqSeq,
      ...(await proofOf(root, index, of.size)),
    })),
  );
  const sealed = entries.find(({ index, sealLeaf }) => sealLeaf && index + 1 < of.size);
  if (sealed?.sealLeaf === undefined) return { version, entries: placed };
  const seal = {
    acqSeq: sealed.acqSeq,
    leaf: sealed.sealLeaf.toString('base64'),
    ...(await proofOf(root, sealed.index + 1, of.size)),
  };
  return { version, entries: placed, seal };
}

async function proofOf(root: RangeRoot, index: number, size: number) {
  const path = await inclusionPath(root, index, size);
  return { index, path: path.map((hash) => hash.toString('base64')) };
}

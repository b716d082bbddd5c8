// SPDX-License-Identifier: Apache-2.0
import type { LedgerStampsV1 } from '@impound/contracts/ask/ledger.stamps.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { inclusionPath } from '@impound/transparency/proof.ts';
import { rangeRoots } from '@impound/transparency/tile-reader.ts';
import type { ProofBook } from './proof-ports.ts';

/** A token, and the note that it was given for. */
export interface Stamp {
  readonly note: string;
  readonly token: Buffer;
}

/** Tokens as the log is bracketed by them. */
export interface StampBook {
  /** The newest that is on record in front of an index, with that entry. */
  after(index: number): Promise<(Stamp & { index: number; entry: string }) | undefined>;
  /** The first over a tree that has an index, with the size of that tree. */
  before(index: number): Promise<(Stamp & { size: number }) | undefined>;
}

type Stamps = typeof LedgerStampsV1;

/** Answers between which tokens entries lie, with the proofs that tie the tokens to them. */
export async function ledgerStamps(
  { first, last, size }: RequestOf<Stamps>,
  deps: {
    readonly proofs: Pick<ProofBook, 'size' | 'tiles'>;
    readonly stamps: StampBook;
    readonly certificates: string | undefined;
  },
): Promise<ReplyOf<Stamps>> {
  const { proofs, stamps, certificates } = deps;
  if (first >= size || last < first || size > (await proofs.size())) return {};
  const [after, before] = await Promise.all([stamps.after(first), stamps.before(last)]);
  if (after === undefined && before === undefined) return {};
  const proven = async (index: number, under: number) => {
    const path = await inclusionPath(rangeRoots(proofs.tiles, under), index, under);
    return { index, path: path.map((hash) => hash.toString('base64')) };
  };
  return {
    ...(after && {
      after: { entry: after.entry, ...(await proven(after.index, size)), ...told(after) },
    }),
    ...(before && { before: { ...(await proven(last, before.size)), ...told(before) } }),
    ...(certificates === undefined ? {} : { certificates }),
  };
}

function told({ note, token }: Stamp) {
  return { note, token: token.toString('base64') };
}

// SPDX-License-Identifier: Apache-2.0
import type { LedgerHeadsV1 } from '@impound/contracts/ask/ledger.heads.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { inclusionPath } from '@impound/transparency/proof.ts';
import { TILE_WIDTH } from '@impound/transparency/tile.ts';
import { rangeRoots } from '@impound/transparency/tile-reader.ts';
import type { HeadsBook, LogHeads } from './log-heads.ts';
import type { ProofBook } from './proof-ports.ts';
import { rootedIn } from './rooting.ts';

type Heads = typeof LedgerHeadsV1;

/** Answers which entry was the last of a chain by the newest root over heads below a checkpoint. */
export async function ledgerHeads(
  of: RequestOf<Heads>,
  deps: {
    readonly proofs: Pick<ProofBook, 'size' | 'tiles'>;
    readonly heads: LogHeads;
    readonly headsBook: HeadsBook;
  },
): Promise<ReplyOf<Heads>> {
  const { proofs, heads, headsBook } = deps;
  const { index, version } = await headsBook.begin(of);
  if (version === 0 || of.size > (await proofs.size())) return { version };
  const rooted = await headsBook.rooted(of.size);
  if (rooted === undefined) return { version };
  const path = await inclusionPath(rangeRoots(proofs.tiles, of.size), rooted.index, of.size);
  const proven = { version, rooted: { ...rooted, path: textsOf(path) } };
  const { size } = rootedIn(rooted.entry);
  if (index >= size) return proven;
  const found = await headsBook.heads([Math.floor(index / TILE_WIDTH)], size);
  const head = found.find((one) => one.index === index);
  if (head === undefined) return proven;
  const up = await heads.at(size, (ranges) => inclusionPath(ranges, index, size));
  const { acqSeq, last } = head;
  const said = { index, acqSeq: Number(acqSeq), last: last.toString('hex') };
  return { ...proven, head: { ...said, path: textsOf(up) } };
}

function textsOf(path: readonly Buffer[]): string[] {
  return path.map((hash) => hash.toString('base64'));
}

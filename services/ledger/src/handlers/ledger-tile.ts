// SPDX-License-Identifier: Apache-2.0
import type { LedgerTileV1 } from '@impound/contracts/ask/ledger.tile.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { HASH_BYTES } from '@impound/transparency/hash.ts';
import { hashesAt, TILE_WIDTH } from '@impound/transparency/tile.ts';
import type { ProofBook } from './proof-ports.ts';

/** Answers with the hashes of a tile, as far as it is under a checkpoint. */
export async function ledgerTile(
  tile: RequestOf<typeof LedgerTileV1>,
  deps: { readonly proofs: Pick<ProofBook, 'signed' | 'tiles'> },
): Promise<ReplyOf<typeof LedgerTileV1>> {
  const signed = await deps.proofs.signed();
  const hashes = hashesAt(signed?.size ?? 0, tile.level);
  if (tile.n * TILE_WIDTH + tile.width > hashes) return {};
  const bytes = await deps.proofs.tiles.tile(tile);
  const own = Buffer.from(bytes.subarray(0, tile.width * HASH_BYTES));
  return { hashes: own.toString('base64') };
}

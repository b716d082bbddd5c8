// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import { type IsWitnessed, newestSigned, openWitnessed } from '../db/checkpoints.ts';
import { asked } from '../db/guards.ts';
import { readTile } from '../db/tiles.ts';
import type { Placed, ProofBook } from '../handlers/proof-ports.ts';

/** Reads the log as proofs are made of it, from what is committed. */
export function postgresProofs(sql: Database, isWitnessed: IsWitnessed): ProofBook {
  const witnessed = openWitnessed(sql, isWitnessed);
  return {
    size: async () => {
      const [row] = await asked(() => sql`select max(size_after) as size from ledger_batch`);
      return Number(row?.['size']);
    },
    signed: () => asked(() => newestSigned(sql)),
    witnessed: () => asked(witnessed),
    tiles: { tile: (tile) => asked(() => readTile(sql, tile)) },
    places: (of) => asked(() => places(sql, of)),
  };
}

async function places(
  sql: Database,
  of: Parameters<ProofBook['places']>[0],
): Promise<{ readonly version: number; readonly entries: readonly Placed[] }> {
  const rows = await sql`
    select e.acq_seq, e.idx, leaf.entry as seal_leaf, chain.version
    from (
      select coalesce(max(acq_seq), 0) as version from ledger_entry
      where acq = ${of.acquisitionId} and tenant = ${of.tenant}
    ) as chain
    left join lateral (
      select acq_seq, idx from ledger_entry
      where acq = ${of.acquisitionId} and tenant = ${of.tenant}
        and acq_seq > ${of.after} and idx < ${of.below}
      order by acq_seq limit ${of.limit}
    ) as e on true
    left join ledger_entry leaf on leaf.idx = e.idx + 1 and leaf.event_id is null
    order by e.acq_seq`;
  const entries = rows.flatMap((row) =>
    row['idx'] === null
      ? []
      : {
          acqSeq: Number(row['acq_seq']),
          index: Number(row['idx']),
          sealLeaf: (row['seal_leaf'] as Buffer | null) ?? undefined,
        },
  );
  return { version: Number(rows[0]?.['version'] ?? 0), entries };
}

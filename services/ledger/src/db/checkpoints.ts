// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import type { BothNotes } from '@impound/transparency/witnessed.ts';
import type { SignedSize } from '../handlers/proof-ports.ts';

/** Whether a checkpoint has as many cosignatures as the policy wants. */
export type IsWitnessed = (notes: BothNotes) => boolean;

/** The newest checkpoint that is signed under both names of the log. */
export async function newestSigned(sql: Database): Promise<SignedSize | undefined> {
  const [newest] = await bothNotes(
    sql,
    sql`select size from ledger_checkpoint group by size having count(*) = 2
      order by size desc limit 1`,
  );
  return newest;
}

/** Checkpoints of these sizes with all their signatures, the largest first. */
async function bothNotes(sql: Database, sizes: ReturnType<Database>): Promise<SignedSize[]> {
  const rows = await sql`
    select size, max(note) filter (where head = 'own') as own,
      max(note) filter (where head = 'sigsum') as sigsum,
      extract(epoch from max(signed_at)) * 1000 as at
    from (
      select c.size, c.head, c.signed_at, c.note || coalesce((
        select string_agg(s.line, '' order by s.witness) from ledger_cosignature s
        where s.size = c.size and s.head = c.head), '') as note
      from ledger_checkpoint c where c.size in (${sizes})
    ) as signed
    group by size having count(*) = 2 order by size desc`;
  return rows.map((row) => ({
    size: Number(row['size']),
    own: String(row['own']),
    sigsum: String(row['sigsum']),
    atMs: Math.round(Number(row['at'])),
  }));
}

const SIZES_MAX = 64;

/**
 * Finds the newest checkpoint with enough cosignatures. One that was found stays so: later only
 * what is newer is looked at, and the newest of that, however long too few have signed.
 */
export function openWitnessed(sql: Database, isWitnessed: IsWitnessed) {
  let found = -1;
  let pagesMax = Infinity;
  return async (): Promise<SignedSize | undefined> => {
    const newest = await newestSigned(sql);
    if (newest === undefined || isWitnessed(newest)) return newest;
    const within = { above: found, below: newest.size, pagesMax };
    found = (await witnessedSize(sql, within, isWitnessed)) ?? found;
    pagesMax = 1;
    const [known] = found < 0 ? [] : await bothNotes(sql, sql`select ${found}::bigint`);
    return known;
  };
}

async function witnessedSize(
  sql: Database,
  within: { readonly above: number; readonly below: number; readonly pagesMax: number },
  isWitnessed: IsWitnessed,
): Promise<number | undefined> {
  let { below } = within;
  for (let page = 0; page < within.pagesMax; page++) {
    const some = await bothNotes(
      sql,
      sql`select distinct size from ledger_cosignature
        where size > ${within.above} and size < ${below} order by size desc limit ${SIZES_MAX}`,
    );
    const good = some.find(isWitnessed);
    if (good !== undefined || some.length === 0) return good?.size;
    below = some.at(-1)?.size ?? 0;
  }
  return undefined;
}

// SPDX-License-Identifier: Apache-2.0
import { CheckpointStampedV1 } from '@impound/contracts/checkpoint/stamped.v1.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { asked } from '../db/guards.ts';
import { eventIn } from '../domain/telling.ts';
import type { StampBook } from '../handlers/ledger-stamps.ts';

/** Reads tokens beside the log. */
export function postgresStamps(sql: Database): StampBook {
  return {
    after: (index) => asked(() => after(sql, index)),
    before: (index) => asked(() => before(sql, index)),
  };
}

async function after(sql: Database, index: number) {
  const [row] = await sql`
    select idx, entry from ledger_entry
    where type = 'checkpoint.stamped.v1' and idx < ${index} order by idx desc limit 1`;
  if (row === undefined) return undefined;
  const entry = (row['entry'] as Buffer).toString('utf8');
  const { size, authority } = CheckpointStampedV1.shape.parse(eventIn(entry).data);
  const [anchor] = await sql`
    select note, token from ledger_anchor
    where size = ${size} and kind = 'rfc3161' and authority = ${authority}`;
  return anchor && { index: Number(row['idx']), entry, ...stampOf(anchor) };
}

async function before(sql: Database, index: number) {
  const [row] = await sql`
    select size, note, token from ledger_anchor
    where size > ${index} and kind = 'rfc3161' order by size limit 1`;
  return row && { size: Number(row['size']), ...stampOf(row) };
}

function stampOf(row: Readonly<Record<string, unknown>>) {
  return { note: String(row['note']), token: row['token'] as Buffer };
}

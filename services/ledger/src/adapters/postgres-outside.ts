// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import { consistencyPath } from '@impound/transparency/proof.ts';
import { rangeRoots } from '@impound/transparency/tile-reader.ts';
import { asked } from '../db/guards.ts';
import { readTile } from '../db/tiles.ts';
import type { Anchor, AnchorBook } from '../handlers/anchoring.ts';
import type { OutsideBook } from '../handlers/outside.ts';

/** The log as it is shown to those who remember it, and what they answer. */
export function postgresOutside(sql: Database): OutsideBook & AnchorBook {
  const roots = (size: number) => rangeRoots({ tile: (tile) => readTile(sql, tile) }, size);
  return {
    size: async () => {
      const [row] = await asked(() => sql`select max(size_after) as size from ledger_batch`);
      return Number(row?.['size']);
    },
    root: (size) => asked(() => roots(size)(0, size)),
    newest: async (head) => {
      const [row] = await asked(
        () => sql`
        select size, note from ledger_checkpoint where head = ${head} order by size desc limit 1`,
      );
      return row && { size: Number(row['size']), note: String(row['note']) };
    },
    note: async (size, head) => {
      const [row] = await asked(
        () => sql`select note from ledger_checkpoint where size = ${size} and head = ${head}`,
      );
      return row && { size, note: String(row['note']) };
    },
    consistency: (from, to) => asked(() => consistencyPath(roots(to), from, to)),
    cosigned: async (witness, head) => {
      const [row] = await asked(
        () => sql`
        select size from ledger_cosignature where witness = ${witness} and head = ${head}
        order by size desc limit 1`,
      );
      return Number(row?.['size'] ?? 0);
    },
    keep: async ({ size, head, witness, line, at }) => {
      await asked(
        () => sql`
        insert into ledger_cosignature (size, head, witness, line, cosigned_at)
        values (${size}, ${head}, ${witness}, ${line}, ${at}) on conflict do nothing`,
      );
    },
    lastAnchor: async () => {
      const [row] = await asked(
        () => sql`
        select size, authority, note, token from ledger_anchor where kind = 'rfc3161'
        order by size desc, authority limit 1`,
      );
      return row && anchorOf(row);
    },
    keepAnchor: async ({ size, authority, note, token }) => {
      await asked(
        () => sql`
        insert into ledger_anchor (size, head, kind, authority, note, token)
        values (${size}, 'own', 'rfc3161', ${authority}, ${note}, ${token})
        on conflict do nothing`,
      );
    },
    tile: (tile) => asked(() => readTile(sql, tile)),
    entries: async (from, to) => {
      const rows = await asked(
        () => sql`
        select entry from ledger_entry where idx >= ${from} and idx < ${to} order by idx`,
      );
      return rows.map((row) => row['entry'] as Buffer);
    },
  };
}

function anchorOf(row: Readonly<Record<string, unknown>>): Anchor {
  return {
    size: Number(row['size']),
    authority: String(row['authority']),
    note: String(row['note']),
    token: row['token'] as Buffer,
  };
}

// SPDX-License-Identifier: Apache-2.0
import { LOG_TENANT } from '@impound/contracts/log-key.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { asked } from '../db/guards.ts';
import type { SignerBook } from '../handlers/ledger-signers.ts';

/**
 * Reads from the log's own chain who signs what they say. They are few: all are looked up before
 * they are put in order, so that the planner does not walk the log for the first of them.
 */
export function postgresSigners(sql: Database): SignerBook {
  return {
    entries: ({ after, below, limit }) =>
      asked(async () => {
        const rows = await sql`
          with named as materialized (
            select idx, entry from ledger_entry
            where ${namesSigner(sql)} and idx > ${after} and idx < ${below}
          )
          select idx, entry from named order by idx limit ${limit}`;
        return rows.map((row) => ({
          index: Number(row['idx']),
          entry: (row['entry'] as Buffer).toString('utf8'),
        }));
      }),
  };
}

/** Which entries say who signs: a bag has to have as many of them as a root over heads counts. */
export function namesSigner(sql: Database) {
  return sql`tenant = ${LOG_TENANT} and type in ('signer.registered.v1', 'signer.retired.v1')`;
}

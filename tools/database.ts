// SPDX-License-Identifier: Apache-2.0
import { ledgerScript } from '@impound/ledger/db/script.ts';

/** deploy/postgres/ledger.sql: roles, rights and tables, for whoever lets no program make them. */
export async function databaseDocument(): Promise<string> {
  return `${HEADER}\n${await ledgerScript()}`;
}

const HEADER = `-- SPDX-License-Identifier: Apache-2.0
-- Made by \`npm run generate\` from services/ledger/src/db: what the migration job runs. By
-- hand, as a role that may create roles, and then a password for each role that logs in:
--   psql -v ON_ERROR_STOP=1 -d impound -f ledger.sql
--   psql -d impound -c '\\password ledger_writer' -c '\\password ledger_reader'
-- ledger_owner owns the tables and cannot log in; ledger_writer, as which the ledger connects, may
-- add and read; ledger_reader, for doctor, may read all but the bytes of the entries;
-- ledger_verifier, for auditors, may read all.
`;

// SPDX-License-Identifier: Apache-2.0
// The deploy job that makes the ledger's roles and tables: the only process that may.
import { runOnce } from '@impound/runtime/run.ts';
import { SecretText } from '@impound/runtime/secret.ts';
import * as z from 'zod';
import { migrate } from './migrate.ts';

const config = z.object({
  /** postgres://…, a role that may create roles. */
  ADMIN_DATABASE_URL: SecretText,
  WRITER_PASSWORD: SecretText,
  /** Left out: nobody reads the ledger beside itself. */
  READER_PASSWORD: SecretText.optional(),
  /** Left out: nobody verifies the log from the database itself. */
  VERIFIER_PASSWORD: SecretText.optional(),
});

await runOnce('ledger-migrate', config, async (given, log) => {
  await migrate(given.ADMIN_DATABASE_URL.reveal(), {
    writerPassword: given.WRITER_PASSWORD.reveal(),
    readerPassword: given.READER_PASSWORD?.reveal(),
    verifierPassword: given.VERIFIER_PASSWORD?.reveal(),
  });
  log.info('the database is at this version');
});

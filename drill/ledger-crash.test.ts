// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smallDisk } from './ledger-crash/full-disk.ts';
import { ledgerCrash } from './ledger-crash.ts';
import { shortForm } from './testing/short-form.ts';

shortForm(
  'whatever breaks at whichever message of a commit, every answer stands, once',
  ledgerCrash,
  ['matrix'],
);

test('a full disk under the database costs time only', { timeout: 280_000 }, async (t) => {
  const hindrance = await hindered();
  if (hindrance !== undefined) return t.skip(`NOT DONE, no disk to fill: ${hindrance}`);
  const tell = (line: string) => t.diagnostic(line);
  const stage = { full: false, clocked: false, args: ['disk'], signal: t.signal, tell };
  assert.deepEqual(await ledgerCrash.run(stage), []);
});

/** Why a test may not have a file system of its own; only root may. */
async function hindered(): Promise<string | undefined> {
  await using scope = new AsyncDisposableStack();
  return await smallDisk(scope).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

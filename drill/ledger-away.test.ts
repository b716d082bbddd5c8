// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ledgerAway } from './ledger-away.ts';

const DRILL_MS_MAX = 290_000;

test('what is done while the ledger is away comes on record when it is back', {
  timeout: DRILL_MS_MAX,
}, async (t) => {
  const { signal } = t;
  const tell = (line: string) => t.diagnostic(line);
  const findings = await ledgerAway.run({ full: false, args: [], signal, tell });
  assert.deepEqual(findings, []);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busAmnesia } from './bus-amnesia.ts';

const DRILL_MS_MAX = 290_000;

test('a bus that dies and forgets everything costs nothing that was accepted', {
  timeout: DRILL_MS_MAX,
}, async (t) => {
  const { signal } = t;
  const tell = (line: string) => t.diagnostic(line);
  const findings = await busAmnesia.run({ full: false, args: [], signal, tell });
  assert.deepEqual(findings, []);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.ts';

const DRILL_MS_MAX = 290_000;

test('what the gateway accepts is on record and ends, however many come at once', {
  timeout: DRILL_MS_MAX,
}, async (t) => {
  const { signal } = t;
  const tell = (line: string) => t.diagnostic(line);
  const findings = await load.run({ full: false, args: [], signal, tell });
  assert.deepEqual(findings, []);
});

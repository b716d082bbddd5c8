// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crowd } from './crowd.ts';

const DRILL_MS_MAX = 290_000;

test('of several who could decide one does, and nothing is done twice', {
  timeout: DRILL_MS_MAX,
}, async (t) => {
  const { signal } = t;
  const tell = (line: string) => t.diagnostic(line);
  const findings = await crowd.run({ full: false, args: [], signal, tell });
  assert.deepEqual(findings, []);
});

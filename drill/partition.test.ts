// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partition } from './partition.ts';

const DRILL_MS_MAX = 290_000;

test('an executor that is cut off is fenced, and goes on where it was not away for long', {
  timeout: DRILL_MS_MAX,
}, async (t) => {
  const { signal } = t;
  const tell = (line: string) => t.diagnostic(line);
  const findings = await partition.run({ full: false, args: [], signal, tell });
  assert.deepEqual(findings, []);
});

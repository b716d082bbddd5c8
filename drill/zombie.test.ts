// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zombie } from './zombie.ts';

const DRILL_MS_MAX = 290_000;

test('what stood still and wakes up is fenced, and what it did is on record', {
  timeout: DRILL_MS_MAX,
}, async (t) => {
  const { signal } = t;
  const tell = (line: string) => t.diagnostic(line);
  const findings = await zombie.run({ full: false, args: [], signal, tell });
  assert.deepEqual(findings, []);
});

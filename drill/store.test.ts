// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { store } from './store.ts';

const DRILL_MS_MAX = 290_000;

test('a store that goes in the middle of a capture and comes back costs time only', {
  timeout: DRILL_MS_MAX,
}, async (t) => {
  const { signal } = t;
  const tell = (line: string) => t.diagnostic(line);
  const findings = await store.run({ full: false, args: [], signal, tell });
  assert.deepEqual(findings, []);
});

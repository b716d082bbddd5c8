// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory } from './memory.ts';

const DRILL_MS_MAX = 290_000;

test('bytes pass through an executor below 256 MB, and a slow store slows the container', {
  timeout: DRILL_MS_MAX,
}, async (t) => {
  const { signal } = t;
  const tell = (line: string) => t.diagnostic(line);
  const findings = await memory.run({ full: false, args: [], signal, tell });
  assert.deepEqual(findings, []);
});

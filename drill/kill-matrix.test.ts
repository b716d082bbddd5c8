// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killMatrix } from './kill-matrix.ts';

const DRILL_MS_MAX = 290_000;

test('whoever is killed, at whichever stage, an acquisition comes to its end', {
  timeout: DRILL_MS_MAX,
}, async (t) => {
  const { signal } = t;
  const tell = (line: string) => t.diagnostic(line);
  const findings = await killMatrix.run({ full: false, args: [], signal, tell });
  assert.deepEqual(findings, []);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { projectFiles } from './rooms.ts';
import { testFiles } from './test-files.ts';

test('every test is run by `npm test`, once, or by `npm run test:compose`', () => {
  const { unit, integration } = testFiles([]);
  const tests = projectFiles().filter((file) => file.endsWith('.test.ts'));
  const composed = tests.filter((file) => file.startsWith('test/compose/'));
  assert.deepEqual([...unit, ...integration, ...composed].toSorted(), tests);
});

test('what breaks processes is no unit test, and what judges them is', () => {
  const { unit, integration } = testFiles(['drill/ledger-crash.test.ts', './drill/ledger-crash/']);
  assert.deepEqual(integration, ['drill/ledger-crash.test.ts']);
  assert.ok(unit.includes('drill/ledger-crash/judge.test.ts'));
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spaceFinding } from './store.ts';

test('space for evidence is told, and where it is little so is what to do', () => {
  assert.equal(spaceFinding(50 * 1_073_741_824, 40).verdict, 'ok');
  assert.equal(spaceFinding(1_073_741_824, 40).verdict, 'advice');
  assert.equal(spaceFinding(50 * 1_073_741_824, 3).verdict, 'advice');
});

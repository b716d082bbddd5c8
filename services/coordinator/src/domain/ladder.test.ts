// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checked, requested, resolved, told } from '../../test/story.ts';
import { refusals, rungsOf } from './ladder.ts';

const ACCESS = checked(
  ['node-volume', 'unknown'],
  ['exec-stream', 'allowed'],
  ['checkpoint', 'denied'],
  ['ephemeral-container', 'allowed'],
  ['exec-stream', 'allowed'],
);
const methodsOf = (state: ReturnType<typeof told>) => rungsOf(state).map(({ method }) => method);

test('what is allowed is tried before what is unknown, what is denied never', () => {
  const state = told(requested(), resolved(), ACCESS);
  assert.deepEqual(methodsOf(state), ['exec-stream', 'ephemeral-container', 'node-volume']);
});

test('a request that names methods restricts the rungs and orders them', () => {
  const methods = ['node-volume', 'checkpoint', 'exec-stream', 'run-command'] as const;
  const state = told(requested({ methods: [...methods] }), resolved(), ACCESS);
  assert.deepEqual(methodsOf(state), ['node-volume', 'exec-stream']);
});

test('each rung that cannot be tried has its sentence', () => {
  const state = told(
    requested({ methods: ['run-command', 'checkpoint'] }),
    resolved(),
    checked(['exec-stream', 'allowed'], ['checkpoint', 'denied']),
  );
  assert.deepEqual(refusals(state), [
    'exec-stream: the request does not allow it',
    'checkpoint: checkpoint is denied',
    'run-command: no executor offers it for this target',
  ]);
});

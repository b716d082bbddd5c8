// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STREAMS_MAX, STREAMS_OF_ONE_MAX } from '../domain/limits.ts';
import { Refusal } from '../domain/problem.ts';
import { openStreams } from './http-events.ts';

const full = (error: unknown) => error instanceof Refusal && error.code === 'too-many';

test('nobody can keep all others from following', () => {
  const streams = openStreams();
  const own = Array.from({ length: STREAMS_OF_ONE_MAX }, () => streams.one('loud'));
  assert.throws(() => streams.one('loud'), full);
  using _ = streams.one('quiet');
  own.pop()?.[Symbol.dispose]();
  streams.one('loud');
  assert.throws(() => streams.one('loud'), full);
});

test('of all together there are no more than one gateway can serve', () => {
  const streams = openStreams();
  const held = Array.from({ length: STREAMS_MAX }, (_, n) => streams.one(`caller-${n}`));
  assert.throws(() => streams.one('another'), full);
  held[0]?.[Symbol.dispose]();
  streams.one('another');
});

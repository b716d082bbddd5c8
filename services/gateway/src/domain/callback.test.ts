// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@impound/contracts/entry.ts';
import { givenUpIn } from './callback.ts';

const AT = '2026-11-23T09:15:00.000000Z';

function chainOf(...said: readonly (readonly [string, object])[]): readonly Entry[] {
  return said.map(([verb, data]) => ({
    recordedAt: AT,
    event: { type: `callback.${verb}.v1`, data: { about: 'end', because: 'it fell', ...data } },
  })) as unknown as readonly Entry[];
}

const CASES = [
  ['one that is tried again', [['failed', { attempt: 1, againAt: AT }]], []],
  ['one that is not tried again', [['failed', { attempt: 8 }]], [8]],
  [
    'one that somebody asked for again',
    [
      ['failed', { attempt: 8 }],
      ['requested', { attempt: 9 }],
    ],
    [],
  ],
  [
    'one that failed again when it was asked for',
    [
      ['failed', { attempt: 8 }],
      ['requested', { attempt: 9 }],
      ['failed', { attempt: 9 }],
    ],
    [9],
  ],
  [
    'one that was delivered in the end',
    [
      ['failed', { attempt: 8 }],
      ['requested', { attempt: 9 }],
      ['delivered', { attempt: 9 }],
    ],
    [],
  ],
  [
    'two about different events',
    [
      ['failed', { attempt: 1 }],
      ['failed', { attempt: 2, about: 'other' }],
    ],
    [1, 2],
  ],
] as const;

for (const [which, said, attempts] of CASES) {
  test(`a callback is given up by the last that its chain says of it: ${which}`, () => {
    const given = givenUpIn(chainOf(...said));
    assert.deepEqual(
      given.map(({ attempt }) => attempt),
      attempts,
    );
  });
}

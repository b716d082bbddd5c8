// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IN_HAND_MAX } from './limits.ts';
import { fateOf, type Queued } from './turn.ts';

const CALM: Queued = {
  waitedMs: 0,
  known: false,
  behind: 0,
  inHand: 0,
  orders: true,
  begun: 0,
  tookMs: 0,
};

const CASES: readonly (readonly [string, Partial<Queued>, ReturnType<typeof fateOf>])[] = [
  ['nobody is before it', {}, 'begin'],
  ['many wait for the ledger, and the processor is free', { inHand: IN_HAND_MAX - 1 }, 'begin'],
  ['as many are in hand as may be', { inHand: IN_HAND_MAX }, 'refuse'],
  ['it only looks', { inHand: IN_HAND_MAX, orders: false }, 'begin'],
  ['it waited long among many', { waitedMs: 1_001, behind: 32 }, 'refuse'],
  [
    'it waited long among many, and was let in before',
    { waitedMs: 3_000, behind: 32, known: true },
    'begin',
  ],
  [
    'it was let in before, and waited very long',
    { waitedMs: 3_001, behind: 32, known: true },
    'refuse',
  ],
  ['it waited long, and few wait behind it', { waitedMs: 60_000, behind: 31 }, 'begin'],
  ['many are behind it, and it waited little', { waitedMs: 999, behind: 1_000 }, 'begin'],
  ['the event loop comes round slowly', { tookMs: 6 }, 'begin'],
  ['the event loop comes round slowly, and some were begun', { tookMs: 6, begun: 7 }, 'begin'],
  ['the event loop comes round slowly, and many were begun', { tookMs: 6, begun: 8 }, 'wait'],
  ['the processor is short, and one was begun', { tookMs: 51, begun: 1 }, 'wait'],
  ['the event loop comes round soon, and some were begun', { tookMs: 5, begun: 9 }, 'begin'],
  ['the processor is short, and some are in hand', { tookMs: 51, inHand: 32 }, 'wait'],
  ['the processor is short, and few are in hand', { tookMs: 51, inHand: 31 }, 'begin'],
  ['the processor is short, and it only looks', { tookMs: 51, inHand: 32, orders: false }, 'begin'],
];

for (const [when, more, fate] of CASES) {
  test(`a request gets its turn or its refusal: ${when}`, () => {
    assert.equal(fateOf({ ...CALM, ...more }), fate);
  });
}

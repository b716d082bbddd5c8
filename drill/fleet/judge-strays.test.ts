// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@impound/contracts/entry.ts';
import { judgeStrays } from './judge-strays.ts';

const ACQ = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const key = (set: string, acq = ACQ) => `default/${acq}/${set}/manifest.jsonl`;

function entry(type: string, data: object): Entry {
  return { acq: ACQ, event: { type, data } } as Entry;
}

const CAPTURED = entry('evidence.captured.v1', { epoch: 2, objects: [{ key: key('e2') }] });
const CHAIN = [
  entry('context.captured.v1', { objects: [{ key: key('context-00000001') }] }),
  entry('execution.lapsed.v1', { epoch: 1 }),
  CAPTURED,
];
const judged = (chain: readonly Entry[], ...keys: string[]) =>
  judgeStrays(new Map([[ACQ, chain]]), keys);

test('what a chain names is no stray', () => {
  const nothing = { left: [], findings: [] };
  assert.deepEqual(judged(CHAIN, key('e2'), key('context-00000001')), nothing);
});

test('what an interrupted try has left is told, and is no finding', () => {
  const left = [key('e1'), key('context-00000002')];
  assert.deepEqual(judged(CHAIN, ...left), { left, findings: [] });
});

test('what is stored and never named is found out', () => {
  const { left, findings } = judged(CHAIN, key('e3'), key('e1', 'another'), key('other'));
  assert.deepEqual(left, []);
  assert.equal(findings.length, 3);
});

test('a context that is stored is told of before the seal, and need not be before another end', () => {
  const ended = (type: string) => judged([entry(type, {})], key('context-00000002'));
  assert.equal(ended('acquisition.sealed.v1').findings.length, 1);
  assert.equal(ended('acquisition.cancelled.v1').left.length, 1);
});

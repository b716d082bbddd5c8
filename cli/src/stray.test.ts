// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Entry } from '@impound/contracts/entry.ts';
import { judgeObject, keyIn } from './stray.ts';

const ID = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';

function chainOf(name: string): readonly Entry[] {
  const file = new URL(`../../contracts/fixtures/0.1.0/chains/${name}.json`, import.meta.url);
  const { entries } = JSON.parse(readFileSync(file, 'utf8')) as { entries: readonly string[] };
  return entries.map((text) => Entry.parse(JSON.parse(text)));
}

const SEALED = chainOf('sealed');
const FAILED = chainOf('second-rung');
const kindOf = (name: string, chain: readonly Entry[]) => {
  return judgeObject(`default/${ID}/${name}`, chain).kind;
};

for (const line of [
  `2026-11-28 20:24:29       1234 evidence/default/${ID}/e1/manifest.jsonl`,
  `gs://evidence/default/${ID}/e1/manifest.jsonl`,
  `/var/lib/impound/objects/default/${ID}/e1/manifest.jsonl\r`,
]) {
  test(`a key is found in what a store's tool lists: ${line.trim()}`, () => {
    assert.equal(keyIn(line), `default/${ID}/e1/manifest.jsonl`);
  });
}

test('lines without a key of an object are none', () => {
  for (const line of ['', 'total 12', `sessions/default/${ID}/e1/manifest.jsonl/w/1`]) {
    assert.equal(keyIn(line), undefined, line);
  }
});

test('what a chain names is no stray', () => {
  assert.equal(kindOf('e1/manifest.jsonl', SEALED), 'named');
});

test('what a try left that came to nothing is told with its epoch, since when and why', () => {
  const { kind, since, because } = judgeObject(`default/${ID}/e1/part`, FAILED);
  assert.equal(kind, 'left');
  assert.match(String(since), /^2026-/);
  assert.match(because, /^epoch 1 ended without it: /);
});

test('what no try accounts for is strange', () => {
  assert.equal(kindOf('e1/another', SEALED), 'strange');
  assert.equal(kindOf('e9/part', FAILED), 'strange');
  assert.equal(kindOf('e1/part', []), 'strange');
});

test('an acquisition that goes on may name it yet', () => {
  assert.equal(kindOf('e1/another', SEALED.slice(0, -1)), 'open');
});

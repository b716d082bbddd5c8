// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Entry } from '@impound/contracts/entry.ts';
import { timelineLine } from './timeline.ts';

const ID = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const START = '2026-11-23T09:15:00.000000Z';

function entry(type: string, data: object): Entry {
  return Entry.parse({
    v: 1,
    acq: ID,
    acqSeq: 4,
    acqPrev: '0'.repeat(64),
    recordedAt: '2026-11-23T09:15:01.250000Z',
    salt: 'AAAAAAAAAAAAAAAAAAAAAA==',
    event: {
      specversion: '1.0',
      id: ID,
      source: '/impound/discovery/discovery-1',
      type,
      subject: ID,
      time: START,
      datacontenttype: 'application/json',
      tenant: 'default',
      data,
    },
  });
}

test('a line says how long after the start, who, what, and the point of it', () => {
  const container = { state: 'running', image: 'registry.example/cart:1' };
  const line = timelineLine(entry('target.resolved.v1', { container }), START);
  assert.match(line, /^ {2}4 {4}\+1\.250s {2}discovery +target\.resolved +running, registry/);
});

const DETAILS: readonly (readonly [string, object, RegExp])[] = [
  ['execution.failed.v1', { code: 'pod-gone', because: 'deleted' }, /pod-gone: deleted$/],
  ['acquisition.failed.v1', { because: 'nobody came' }, /nobody came$/],
  ['acquisition.requested.v1', { reason: 'a shell' }, /a shell$/],
  [
    'evidence.accessed.v1',
    { accessedBy: { id: 'lead' }, purpose: 'court', objects: [{ key: 'a/b/e1/manifest.jsonl' }] },
    /manifest\.jsonl to lead: court$/,
  ],
  ['something.new.v1', {}, /something\.new$/],
  ['target.resolved.v1', { container: null }, /target\.resolved$/],
  ['access.checked.v1', { ladder: 'none' }, /access\.checked$/],
];
for (const [type, data, words] of DETAILS) {
  test(`the point of ${type} with ${JSON.stringify(data)}`, () => {
    assert.match(timelineLine(entry(type, data), START), words);
  });
}

test('a long sentence is cut, and one can see it', () => {
  const line = timelineLine(entry('acquisition.failed.v1', { because: 'x'.repeat(1_000) }), START);
  assert.ok(line.length < 600);
  assert.ok(line.endsWith('…'));
});

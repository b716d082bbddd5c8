// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { NO_PREVIOUS } from '@impound/contracts/entry.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import { headers } from '@nats-io/transport-node';
import { codeOf } from './fault.ts';
import { readMessage } from './message.ts';

const ACQUISITION = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';

function published(
  event: { type?: string; data?: object; subject?: string },
  more: object = {},
): Buffer {
  const entry = {
    v: 1,
    acq: ACQUISITION,
    acqSeq: 7,
    acqPrev: NO_PREVIOUS,
    recordedAt: '2026-11-23T09:15:00.000000Z',
    salt: 'AAAAAAAAAAAAAAAAAAAAAA==',
    event: {
      specversion: '1.0',
      id: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d02',
      source: '/impound/uploader/up-1',
      type: EvidenceRejectedV1.type,
      subject: ACQUISITION,
      time: '2026-11-23T09:15:00.000000Z',
      datacontenttype: 'application/json',
      tenant: 'default',
      data: EvidenceRejectedV1.example,
      ...event,
    },
    ...more,
  };
  return Buffer.from(JSON.stringify(entry));
}

test('a recorded event is read with its place in the chain', () => {
  const message = readMessage(EvidenceRejectedV1, published({}), undefined);
  assert.equal(message.version, 7);
  assert.equal(message.acquisitionId, ACQUISITION);
  assert.deepEqual(message.data, EvidenceRejectedV1.example);
});

test('headers tell the index in the log, where what is no number counts as none', () => {
  const carried = headers();
  carried.set('Impound-Seq', '41');
  const message = readMessage(EvidenceRejectedV1, published({}), carried);
  assert.equal(message.seq, 41);
  carried.set('Impound-Seq', 'x');
  assert.equal(readMessage(EvidenceRejectedV1, published({}), carried).seq, 0);
});

test('the hash of an entry is that of the bytes that were heard, whatever a header says', () => {
  const bytes = published({});
  const carried = headers();
  carried.set('Impound-Entry-Hash', 'a'.repeat(64));
  const leaf = createHash('sha256').update('\0').update(bytes).digest('hex');
  assert.equal(readMessage(EvidenceRejectedV1, bytes, carried).entryHash, leaf);
});

test('a reader ignores fields that it does not know', () => {
  const data = { ...EvidenceRejectedV1.example, later: true };
  const message = readMessage(EvidenceRejectedV1, published({ data }, { later: 1 }), undefined);
  assert.deepEqual(message.data, EvidenceRejectedV1.example);
});

const unreadable = [
  ['no bytes at all', Buffer.from(''), 'no-entry'],
  ['JSON that is no object', Buffer.from('[1]'), 'no-entry'],
  ['JSON without an end', Buffer.from('['.repeat(50_000)), 'no-entry'],
  ['an entry of another kind', published({}, { v: 2 }), 'no-entry'],
  ['an entry without an event', published({}, { event: null }), 'no-entry'],
  [
    'an event of another acquisition',
    published({ subject: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d09' }),
    'no-such-event',
  ],
  ['bytes that are no entry', Buffer.from('{}'), 'no-entry'],
  ['bytes that are no JSON', Buffer.from([0xff, 0x00]), 'no-entry'],
  ['data that do not fit the contract', published({ data: { epoch: 1 } }), 'no-such-event'],
  [
    'another version, whatever its data',
    published({ type: 'evidence.rejected.v2', data: { other: true } }),
    'other-version',
  ],
] as const;

for (const [name, bytes, code] of unreadable) {
  test(`${name}: refused as ${code}`, () => {
    assert.throws(
      () => readMessage(EvidenceRejectedV1, bytes, undefined),
      (error: unknown) => codeOf(error) === code,
    );
  });
}

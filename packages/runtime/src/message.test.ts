// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_PREVIOUS } from '@impound/contracts/entry.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import { codeOf } from './fault.ts';
import { readMessage } from './message.ts';

const ACQUISITION = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';

function published(event: { type?: string; data?: object }): Buffer {
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
  };
  return Buffer.from(JSON.stringify(entry));
}

test('a recorded event is read with its place in the chain', () => {
  const message = readMessage(EvidenceRejectedV1, published({}), undefined);
  assert.equal(message.version, 7);
  assert.equal(message.acquisitionId, ACQUISITION);
  assert.deepEqual(message.data, EvidenceRejectedV1.example);
});

const unreadable = [
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

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonical } from '@impound/contracts/canonical.ts';
import { entryText, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import { Later } from '@impound/runtime/fault.ts';
import { readMessage } from '@impound/runtime/message.ts';
import { type Found, StoreFault } from '../domain/evidence-store.ts';
import { keyOf, type ObjectName } from '../domain/object-name.ts';
import { captureUnverified, evidenceCaptured } from './evidence-captured.ts';

const ACQUISITION = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const object = (set: string, name: string, digit: string) => ({
  name,
  key: `default/${ACQUISITION}/${set}/${name}`,
  bytes: 10,
  sha256: digit.repeat(64),
});
const MANIFEST = object('e1', 'manifest.jsonl', 'b');

function textOf(contract: EventContract, data: object, version: number): string {
  const event = {
    specversion: '1.0',
    id: `0199f5a2-7c3e-7a10-8f52-00000000000${version}`,
    source: '/impound/test/test-1',
    type: contract.type,
    subject: ACQUISITION,
    time: '2026-11-23T09:15:00.000000Z',
    datacontenttype: 'application/json',
    tenant: 'default',
    data,
  };
  const recordedAt = '2026-11-23T09:15:00.000000Z';
  const salt = 'AAAAAAAAAAAAAAAAAAAAAA==';
  const head = { acq: ACQUISITION, acqSeq: version, acqPrev: NO_PREVIOUS, recordedAt, salt };
  return entryText(head, canonical(event));
}

function captured(objects: readonly object[]) {
  const data = { ...EvidenceCapturedV1.example, objects };
  return readMessage(
    EvidenceCapturedV1,
    Buffer.from(textOf(EvidenceCapturedV1, data, 3)),
    undefined,
  );
}

const LOCKED = { mode: 'compliance', until: '2033-01-01T00:00:00.000000Z' } as const;

function storeOf(...objects: (typeof MANIFEST)[]) {
  const found = new Map<string, Found>(
    objects.map((one) => [one.key, { ...one, versionId: 'v1' }]),
  );
  return {
    kind: 's3',
    verify: async (of: { object: ObjectName }) => found.get(keyOf(of.object)),
    retain: async () => LOCKED,
  } as const;
}

const now = () => 0;
const signal = AbortSignal.any([]);

test('evidence that reads back as captured is stored, by its epoch', async () => {
  const store = storeOf(MANIFEST);
  const said = await evidenceCaptured(captured([MANIFEST]), { store, now }, signal);
  assert.equal(said.contract, EvidenceStoredV1);
  const kept = { store: 's3', versionId: 'v1', retention: LOCKED } as const;
  const noted = { ...kept, verifiedAt: '1970-01-01T00:00:00.000000Z' };
  const objects = [{ ...MANIFEST, ...noted }];
  assert.deepEqual(said.data, { epoch: 1, objects });
});

const FOREIGN = { ...MANIFEST, key: MANIFEST.key.replace('default', 'other') };
const REJECTED = [
  ['an object that is not there', [MANIFEST], storeOf(), 'object-missing'],
  ['another digest', [MANIFEST], storeOf({ ...MANIFEST, sha256: 'c'.repeat(64) })],
  ['another length', [MANIFEST], storeOf({ ...MANIFEST, bytes: 11 })],
  ['a key of another tenant', [FOREIGN], storeOf(FOREIGN), 'object-missing'],
  ['a key of another epoch', [object('e2', 'a', 'b')], storeOf(), 'object-missing'],
  ['a name that is not the key', [{ ...MANIFEST, name: 'a' }], storeOf(), 'object-missing'],
] as const;

for (const [name, objects, store, code = 'digest-mismatch'] of REJECTED) {
  test(`a capture with ${name} is rejected as ${code}`, async () => {
    const said = await evidenceCaptured(captured(objects), { store, now }, signal);
    assert.equal(said.contract, EvidenceRejectedV1);
    assert.equal((said.data as EvidenceRejectedV1).code, code);
  });
}

test('reading that takes longer than one turn is gone on with later', async () => {
  const stopped = AbortSignal.abort();
  const store = { ...storeOf(), verify: async () => stopped.throwIfAborted() as undefined };
  const turn = evidenceCaptured(captured([MANIFEST]), { store, now }, stopped);
  await assert.rejects(turn, (error) => error instanceof Later && error.code === 'still-reading');
});

for (const step of ['verify', 'retain'] as const) {
  test(`a store that does not ${step} is asked again later, and nothing is said to be stored`, async () => {
    const away = async () => {
      throw new StoreFault('store-away', 'the store did not answer');
    };
    const store = { ...storeOf(MANIFEST), [step]: away };
    const turn = evidenceCaptured(captured([MANIFEST]), { store, now }, signal);
    await assert.rejects(turn, (error) => error instanceof Later && error.code === 'store-away');
  });
}

test('a capture that can never be read back is rejected in the words of the fault', () => {
  const said = captureUnverified(captured([MANIFEST]), { code: 'bug', because: '' });
  assert.deepEqual(said.data, { epoch: 1, code: 'bug', because: 'bug' });
});

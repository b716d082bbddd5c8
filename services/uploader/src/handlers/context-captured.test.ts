// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { ContextStoredV1 } from '@impound/contracts/context/stored.v1.ts';
import { Later } from '@impound/runtime/fault.ts';
import { type Found, StoreFault } from '../domain/evidence-store.ts';
import { keyOf, type ObjectName } from '../domain/object-name.ts';
import { contextCaptured, contextUnverified } from './context-captured.ts';

const ACQUISITION = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const object = (set: string, name: string) => ({
  name,
  key: `default/${ACQUISITION}/${set}/${name}`,
  bytes: 10,
  sha256: 'a'.repeat(64),
});
const ARCHIVE = object('context-5d0c11aa', 'context.tar.zst');
const MANIFEST = object('context-5d0c11aa', 'manifest.jsonl');
const LOCKED = { mode: 'compliance', until: '2033-01-01T00:00:00.000000Z' } as const;
const signal = AbortSignal.any([]);

function captured(...objects: readonly object[]) {
  const data = ContextCapturedV1.shape.parse({ objects, gaps: [] });
  const where = { tenant: 'default', acquisitionId: ACQUISITION, id: 'e-1' };
  return { ...where, data } as unknown as Parameters<typeof contextCaptured>[0];
}

function depsOf(...objects: readonly (typeof MANIFEST)[]) {
  const found = new Map<string, Found>(objects.map((one) => [one.key, { ...one }]));
  const store = {
    kind: 's3',
    verify: async (of: { object: ObjectName }) => found.get(keyOf(of.object)),
    retain: async () => LOCKED,
  } as const;
  return { store, now: () => 0 };
}

test('a context that reads back as captured is stored and locked', async () => {
  const whole = captured(ARCHIVE, MANIFEST);
  const { contract, data } = await contextCaptured(whole, depsOf(ARCHIVE, MANIFEST), signal);
  assert.equal(contract, ContextStoredV1);
  const verifiedAt = '1970-01-01T00:00:00.000000Z';
  const noted = { store: 's3', verifiedAt, retention: LOCKED } as const;
  const objects = [ARCHIVE, MANIFEST].map((one) => ({ ...one, ...noted }));
  assert.deepEqual(data, { objects, lost: [] });
});

const FOREIGN = { ...ARCHIVE, key: ARCHIVE.key.replace('default', 'other') };
const LOST = [
  ['is not there', ARCHIVE, depsOf(MANIFEST), /^object-missing: /],
  ['has another digest', ARCHIVE, depsOf(MANIFEST, { ...ARCHIVE, sha256: 'b'.repeat(64) })],
  ['belongs to another tenant', FOREIGN, depsOf(MANIFEST, FOREIGN), /^object-missing: /],
  ['lies among the evidence', object('e1', 'a'), depsOf(MANIFEST, object('e1', 'a'))],
] as const;

for (const [what, lost, deps, because = /^(digest-mismatch|object-missing): /] of LOST) {
  test(`an object of the context that ${what} is lost, and costs no other`, async () => {
    const { data } = await contextCaptured(captured(lost, MANIFEST), deps, signal);
    const stored = ContextStoredV1.shape.parse(data);
    assert.deepEqual(
      stored.objects.map(({ key }) => key),
      [MANIFEST.key],
    );
    assert.equal(stored.lost.length, 1);
    assert.match(stored.lost.join(), because);
  });
}

test('a store that is away is asked again later; where it stays away everything is lost', async () => {
  const away = async () => {
    throw new StoreFault('store-away', 'the store did not answer');
  };
  const deps = { store: { ...depsOf().store, verify: away }, now: () => 0 };
  const turn = contextCaptured(captured(MANIFEST), deps, signal);
  await assert.rejects(turn, (error) => error instanceof Later && error.code === 'store-away');
  const said = contextUnverified(captured(MANIFEST), { code: 'store-away', because: 'no answer' });
  const lost = [`store-away: ${MANIFEST.key}: no answer`];
  assert.deepEqual(said.data, { objects: [], lost });
});

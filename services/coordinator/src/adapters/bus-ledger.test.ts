// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionExpiredV1 } from '@impound/contracts/acquisition/expired.v1.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import { Never } from '@impound/runtime/fault.ts';
import { childId } from '@impound/runtime/ids.ts';
import type { House } from '@impound/runtime/service.ts';
import { entriesOf, hashOf, ID, requested, told } from '../../test/story.ts';
import { busLedger } from './bus-ledger.ts';

const { signal } = new AbortController();
const REF = { tenant: 'default', acquisitionId: ID };
const RECORDED_AT = '2026-11-23T09:15:00.000000Z';
const PLACE = { seq: 1, version: 2, entryHash: hashOf(2), differs: false };
const RECORDED = { ...PLACE, repeated: false, recordedAt: RECORDED_AT };
const decided = { contract: AcquisitionExpiredV1, data: AcquisitionExpiredV1.example };

const answering = (answer: unknown): Pick<House, 'ask' | 'say'> => ({
  ask: (async () => answer) as House['ask'],
  say: async () => answer as SayReply,
});

test('a chain is read as the entries that were hashed', async () => {
  const [entry] = entriesOf([requested()]);
  const row = { seq: 7, hash: hashOf(1), text: JSON.stringify(entry) };
  const house = answering({ version: 1, entries: [row] });
  const { version, links } = await busLedger(house).history(REF, 0, signal);
  assert.deepEqual([version, links], [1, [{ seq: 7, hash: hashOf(1), entry }]]);
});

for (const text of ['', '{}', '{"v":2}', '[[[']) {
  test(`${text || 'nothing'} is refused as an entry`, async () => {
    const house = answering({ version: 1, entries: [{ seq: 7, hash: hashOf(1), text }] });
    const reading = busLedger(house).history(REF, 0, signal);
    await assert.rejects(reading, (error) => error instanceof Never && error.code === 'no-entry');
  });
}

test('what is said follows the last event: its id, its cause and its version', async () => {
  const state = told(requested());
  const heard: unknown[] = [];
  const house: Pick<House, 'ask' | 'say'> = {
    ...answering(undefined),
    say: async (saying) => {
      heard.push(saying);
      return { ok: true, ...RECORDED } as SayReply;
    },
  };
  const id = childId(state.lastId, 'acquisition.expired.v1');
  assert.deepEqual(await busLedger(house).say(state, decided, signal), {
    kind: 'recorded',
    place: { id, seq: 1, hash: hashOf(2), recordedAt: RECORDED_AT },
  });
  assert.deepEqual(heard, [
    { ...decided, ...REF, id, causeId: state.lastId, expectedVersion: state.version },
  ]);
});

for (const elsewhere of [{ version: 3 }, { differs: true }, { recordedAt: undefined }]) {
  test(`an answer with ${JSON.stringify(elsewhere)} does not say where the chain went on`, async () => {
    const house = answering({ ok: true, ...RECORDED, ...elsewhere });
    const outcome = await busLedger(house).say(told(requested()), decided, signal);
    assert.deepEqual(outcome, { kind: 'recorded' });
  });
}

const REFUSED = { ok: false, because: 'no', version: 1 } as const;
for (const [reply, kind] of [
  [{ ok: true, ...RECORDED, repeated: true }, 'recorded'],
  [{ ...REFUSED, refusal: 'conflict' }, 'conflict'],
  [{ ...REFUSED, refusal: 'invalid' }, 'refused'],
  [{ ...REFUSED, refusal: 'forbidden' }, 'refused'],
] as const) {
  test(`the answer ${JSON.stringify(reply).slice(0, 40)}… means ${kind}`, async () => {
    const outcome = await busLedger(answering(reply)).say(told(requested()), decided, signal);
    assert.equal(outcome.kind, kind);
  });
}

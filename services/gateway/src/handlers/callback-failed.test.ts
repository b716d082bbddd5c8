// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { CallbackDeliveredV1 } from '@impound/contracts/callback/delivered.v1.ts';
import { CallbackFailedV1 } from '@impound/contracts/callback/failed.v1.ts';
import { CallbackRequestedV1 } from '@impound/contracts/callback/requested.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import { entryText, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { Integrations } from '@impound/contracts/integration.ts';
import { type CallbackDeps, callBack, callbackUntold } from './callback-failed.ts';
import type { ChainOf } from './chain-read.ts';

const ACQ = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const END = idAt(2);
const TIME = '2026-11-23T09:15:00.000000Z';
const OF = { tenant: 'default', acquisitionId: ACQ } as ChainOf;

function idAt(acqSeq: number): string {
  return `0199f5a2-7c3e-7a10-8f52-00000000000${acqSeq}`;
}

function textAt(acqSeq: number, { type }: EventContract, data: unknown): string {
  const event = canonical({
    specversion: '1.0',
    id: idAt(acqSeq),
    source: '/impound/gateway/g-1',
    type,
    subject: ACQ,
    time: TIME,
    datacontenttype: 'application/json',
    tenant: 'default',
    data,
  });
  const salt = 'AAAAAAAAAAAAAAAAAAAAAA==';
  return entryText({ acq: ACQ, acqSeq, acqPrev: NO_PREVIOUS, recordedAt: TIME, salt }, event);
}

/** A sealed chain with this outcome on record, and how often it is posted on an attempt. */
async function postedOn(attempt: number, outcome?: [EventContract, object]): Promise<number> {
  const request = AcquisitionRequestedV1.example;
  const texts = [
    textAt(1, AcquisitionRequestedV1, request),
    textAt(2, AcquisitionSealedV1, AcquisitionSealedV1.example),
    ...(outcome ? [textAt(3, outcome[0], outcome[1])] : []),
  ];
  const entries = texts.map((text, seq) => ({ seq, hash: NO_PREVIOUS, text }));
  const url = 'https://siem.example/in';
  const secrets = [`whsec_${Buffer.alloc(32, 5).toString('base64')}`];
  const one = {
    id: request.requestedBy.id,
    kind: 'integration',
    tenant: 'default',
    credentials: [{ kind: 'token', id: 'key-1', sha256: '0'.repeat(64) }],
    clusters: ['*'],
    namespaces: ['*'],
    callback: { url, secrets },
  };
  const integrations = Integrations.parse({ version: 1, integrations: [one], changes: [] });
  let posted = 0;
  const deps = {
    ask: (async () => ({ version: entries.length, entries })) as unknown as CallbackDeps['ask'],
    now: () => 0,
    integrations: { current: async () => integrations },
    post: async () => {
      posted += 1;
      return { ok: true, status: 204 } as const;
    },
  };
  await callBack({ of: OF, about: END, attempt }, deps, AbortSignal.timeout(280_000));
  return posted;
}

const DELIVERED = { ...CallbackDeliveredV1.example, about: END };
const FAILED = { ...CallbackFailedV1.example, about: END };

test('an end that comes again is posted until it is on record what came of it', async () => {
  assert.equal(await postedOn(1), 1);
  assert.equal(await postedOn(1, [CallbackDeliveredV1, DELIVERED]), 0);
  assert.equal(await postedOn(1, [CallbackFailedV1, FAILED]), 0);
  assert.equal(await postedOn(2, [CallbackFailedV1, FAILED]), 1);
  assert.equal(await postedOn(1, [CallbackDeliveredV1, { ...DELIVERED, about: idAt(1) }]), 1);
});

const HEARD = { id: END, recordedAt: TIME, tenant: 'default', acquisitionId: ACQ };
const AWAY = { code: 'unanswered', because: 'the ledger does not answer' };

test('an attempt that could not be made is on record as one that failed, and another follows', () => {
  const end = { ...HEARD, type: AcquisitionSealedV1.type, data: AcquisitionSealedV1.example };
  const first = callbackUntold(end as never, AWAY);
  assert.equal(first.contract, CallbackFailedV1);
  const { about, attempt, because, againAt } = first.data;
  assert.deepEqual([about, attempt, because], [END, 1, AWAY.because]);
  assert.equal(againAt, '2026-11-23T09:15:05.000000Z');
  const next = { ...HEARD, type: CallbackFailedV1.type, data: first.data };
  const second = callbackUntold(next as never, AWAY);
  assert.deepEqual([second.data.about, second.data.attempt], [END, 2]);
  assert.equal(second.data.againAt, '2026-11-23T09:15:35.000000Z');
  const last = { ...next, data: { ...first.data, attempt: 7 } };
  assert.equal(callbackUntold(last as never, AWAY).data.againAt, undefined);
});

test('one that somebody asked for and that could not be made is given up again', () => {
  const data = { ...CallbackRequestedV1.example, about: END, attempt: 9 };
  const message = { ...HEARD, type: CallbackRequestedV1.type, data };
  const { about, attempt, because, againAt, messageId } = callbackUntold(
    message as never,
    AWAY,
  ).data;
  assert.deepEqual([about, attempt, because, againAt], [END, 9, AWAY.because, undefined]);
  const end = { ...HEARD, type: AcquisitionSealedV1.type, data: AcquisitionSealedV1.example };
  assert.equal(messageId, callbackUntold(end as never, AWAY).data.messageId);
});

test('what only waits for its time and was handed out too often waits on', () => {
  const data = { ...FAILED, attempt: 6, againAt: '2026-11-24T09:15:05.000000Z' };
  const message = { ...HEARD, type: CallbackFailedV1.type, data };
  const again = callbackUntold(message as never, { code: 'not-yet', because: 'not yet' });
  assert.deepEqual(again.data, data);
});

// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { DiscoveryListV1 } from '@impound/contracts/ask/discovery.list.v1.ts';
import { UploaderReadV1 } from '@impound/contracts/ask/uploader.read.v1.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { progressSubject } from '@impound/contracts/progress.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { Never } from '@impound/runtime/fault.ts';
import { openLog } from '@impound/runtime/log.ts';
import { answer, service } from '@impound/runtime/service.ts';
import { start } from '@impound/runtime/start.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { connect } from '@nats-io/transport-node';
import * as z from 'zod';
import { house, LIMIT, problemOf } from './gateway-in-a-house.ts';

/** Collects a stream of events as text, and waits for a piece of it. */
function listened(_t: TestContext, answer: Response) {
  let text = '';
  const done = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk as Uint8Array);
  })().catch(() => undefined);
  return {
    done,
    text: () => text,
    has: (piece: string) => until(() => (text.includes(piece) ? true : undefined)),
  };
}

test(
  'followers hear what was, what comes and how it goes, until it has ended',
  LIMIT,
  async (t) => {
    const { bus, begin, ask, ledger } = await house(t);
    const acquisitionId = await begin();
    const path = `/v1/acquisitions/${acquisitionId}/events`;
    const answer = await ask(path);
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    const stream = listened(t, answer);
    await stream.has('id: 1\nevent: acquisition.requested.v1\ndata: {"acq":');
    const connection = await connect({ servers: bus.url });
    t.after(() => connection.close());
    const progress = {
      tenant: 'default',
      acquisitionId,
      epoch: 1,
      worker: 'k8s-1-7f3a',
      at: '2026-11-23T09:15:03.000000Z',
      phase: 'collecting',
      files: 3,
      bytes: 4_096,
    };
    connection.publish(progressSubject('default', acquisitionId), JSON.stringify(progress));
    await stream.has(`event: progress\ndata: ${JSON.stringify(progress)}\n\n`);
    const missing = TargetMissingV1.example as TargetMissingV1;
    await ledger.record({ contract: TargetMissingV1, data: missing, acquisitionId });
    await stream.has('id: 2\nevent: target.missing.v1\n');
    const failed = AcquisitionFailedV1.example as AcquisitionFailedV1;
    await ledger.record({ contract: AcquisitionFailedV1, data: failed, acquisitionId });
    await stream.done;
    assert.match(stream.text(), /id: 3\nevent: acquisition.failed.v1\ndata: .*\n\n$/);
    assert.equal(stream.text().match(/^id: /gm)?.length, 3);
    const after = (version: string) => ask(path, { headers: { 'last-event-id': version } });
    const resumed = await (await after('1')).text();
    assert.deepEqual(resumed.match(/^id: \d+$/gm), ['id: 2', 'id: 3']);
    assert.equal((await after('3')).status, 204);
  },
);

const EVIDENCE = Buffer.from('evidence '.repeat(100_000));
const SHA256 = createHash('sha256').update(EVIDENCE).digest('hex');

/** An evidence store that answers by HTTP, and the two services that the gateway asks. */
async function neighbours(t: TestContext, natsUrl: string) {
  const seen = { requests: 0, aborted: 0, asked: [] as object[] };
  const store = createServer((request, response) => {
    seen.requests += 1;
    response.on('close', () => {
      if (!response.writableFinished) seen.aborted += 1;
    });
    if (request.url === '/endless') {
      response.writeHead(200, { 'content-length': 1e9 });
      return void response.write(EVIDENCE);
    }
    const digest = Buffer.from(SHA256, 'hex').toString('base64');
    const headers = { 'content-length': EVIDENCE.length, 'content-digest': `sha-256=:${digest}:` };
    response.writeHead(200, headers).end(EVIDENCE);
  });
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  t.after(async () => {
    store.closeAllConnections();
    store.close();
    await once(store, 'close');
  });
  const base = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  const expiresAt = '2026-11-23T10:15:00.000000Z';
  const reading = answer(UploaderReadV1, async ({ key }) => {
    if (key.endsWith('gone')) throw new Never('object-missing', 'the store has no such object');
    const url = `${base}/${key.endsWith('endless') ? 'endless' : 'whole'}`;
    const sha256 = key.endsWith('changed') ? 'f'.repeat(64) : SHA256;
    return { url, expiresAt, bytes: EVIDENCE.length, sha256 };
  });
  const looking = answer(DiscoveryListV1, async (asked) => {
    seen.asked.push(asked);
    return { items: [], gaps: ['none here'] };
  });
  for (const [name, one] of [
    ['uploader', reading],
    ['discovery', looking],
  ] as const) {
    const config = z.object({});
    const open = async () => ({});
    const it = service({ name, config, open, says: [], hears: [], answers: [one] });
    const running = await start(it, { NATS_URL: natsUrl }, openLog(name, 'silent'));
    t.after(() => running[Symbol.asyncDispose]());
  }
  return seen;
}

test(
  'evidence is handed out after that was recorded, and not without a purpose',
  LIMIT,
  async (t) => {
    const { bus, begin, ask, ledger } = await house(t);
    const seen = await neighbours(t, bus.url);
    const acquisitionId = await begin();
    const objects = ['context.tar.zst', 'changed', 'gone', 'endless'].map((name) => {
      const key = `default/${acquisitionId}/context/${name}`;
      return { name, key, bytes: EVIDENCE.length, sha256: SHA256 };
    });
    const data = { objects, gaps: [] } as unknown as ContextCapturedV1;
    await ledger.record({ contract: ContextCapturedV1, data, acquisitionId });
    const get = (name: string, query = '?purpose=analysis', init: RequestInit = {}) =>
      ask(`/v1/acquisitions/${acquisitionId}/evidence/context/${name}${query}`, init);
    const accesses = () =>
      ledger.chain(acquisitionId).filter(({ event }) => event.type === 'evidence.accessed.v1');
    await problemOf(await get('context.tar.zst', ''), 400, 'query-refused');
    await problemOf(await get('manifest.jsonl'), 404, 'not-found');
    assert.equal((await get('context.tar.zst', undefined, { method: 'HEAD' })).status, 405);
    assert.equal(accesses().length, 0);
    const whole = await get('context.tar.zst');
    assert.equal(whole.status, 200);
    assert.match(whole.headers.get('content-digest') ?? '', /^sha-256=:.*:$/);
    const bytes = new Uint8Array(await whole.arrayBuffer());
    assert.equal(createHash('sha256').update(bytes).digest('hex'), SHA256);
    const [access] = accesses();
    assert.equal(access?.event.data['purpose'], 'analysis');
    await problemOf(await get('changed'), 409, 'evidence-differs');
    await problemOf(await get('gone'), 422, 'refused');
    assert.equal(seen.requests, 1);
    const gone = new AbortController();
    const endless = await get('endless', undefined, { signal: gone.signal });
    assert.equal(endless.status, 200);
    gone.abort();
    await until(() => (seen.aborted === 1 ? true : undefined));
    assert.equal(accesses().length, 4);
  },
);

test('clusters, namespaces and containers are listed as discovery sees them', LIMIT, async (t) => {
  const { bus, ask } = await house(t);
  const seen = await neighbours(t, bus.url);
  const paths = [
    '/v1/clusters?limit=5',
    '/v1/clusters/prod%2Feu/namespaces',
    '/v1/clusters/prod/namespaces/shop/containers?selector=app%3Dcart',
  ];
  for (const path of paths) {
    const answered = await ask(path);
    assert.deepEqual(await answered.json(), { items: [], gaps: ['none here'] });
  }
  const tenant = 'default';
  assert.deepEqual(seen.asked, [
    { tenant, limit: 5 },
    { tenant, cluster: 'prod/eu', limit: 100 },
    { tenant, cluster: 'prod', namespace: 'shop', selector: 'app=cart', limit: 100 },
  ]);
});

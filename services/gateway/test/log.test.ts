// SPDX-License-Identifier: Apache-2.0
// The log as anybody may read it, in the layout of C2SP tlog-tiles.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog } from '@impound/runtime/log.ts';
import { openKnown } from '../src/adapters/http-known.ts';
import { addLog } from '../src/adapters/http-log.ts';
import { openApp } from '../src/adapters/http-server.ts';
import { openHands } from '../src/adapters/http-turns.ts';
import { ANONYMOUS_MAX } from '../src/domain/limits.ts';
import { openLogReads } from '../src/handlers/log-read.ts';

const TILE = Buffer.alloc(64, 7);

function front(asked: (name: string) => Promise<object>) {
  const ask = async ({ name }: { name: string }) => (await asked(name)) as never;
  const clock = { now: 0 };
  const reads = openLogReads({ ask, now: () => clock.now }, AbortSignal.timeout(280_000));
  const door = (() => assert.fail('nobody is asked who they are')) as never;
  const health = async () => ({ status: 'ok' });
  const behind = { door, hands: openHands(), known: openKnown(), health, document: {} };
  const app = openApp(behind, openLog('gateway', 'silent'));
  addLog(app, reads);
  return { app, clock };
}

const answers = async (name: string) =>
  name === 'ledger.tile.v1'
    ? { hashes: TILE.toString('base64') }
    : { checkpoint: { size: 1, own: 'own\n', sigsum: 'sigsum\n' }, keys: {}, policy: '' };

test('checkpoints and hashes are for anybody, under both names of the log', async () => {
  const { app } = front(answers);
  for (const [prefix, note] of [
    ['', 'own\n'],
    ['/sigsum', 'sigsum\n'],
  ]) {
    const checkpoint = await app.request(`${prefix}/checkpoint`);
    assert.equal(checkpoint.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.equal(await checkpoint.text(), note);
    const tile = await app.request(`${prefix}/tile/0/x001/000.p/2`);
    assert.equal(tile.headers.get('content-type'), 'application/octet-stream');
    assert.match(tile.headers.get('cache-control') ?? '', /immutable/);
    assert.deepEqual(Buffer.from(await tile.arrayBuffer()), TILE);
  }
});

const NONE = ['/tile/0/0', '/tile/64/000', '/tile/0/000.p/256', '/tile/', '/tile/0/x000/001'];

for (const path of NONE) {
  test(`there is no tile at ${path}`, async () => {
    const { app } = front(() => assert.fail('the ledger is not asked'));
    assert.equal((await app.request(path)).status, 404);
  });
}

test('entries are not for anybody: they lie under the name that known callers ask by', async () => {
  const { app } = front(() => assert.fail('the ledger is not asked'));
  const answer = await app.request('/sigsum/tile/entries/x001/000.p/3');
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), /auditors find entries at \/tile\/entries/);
});

test('a tile that the log does not have, and a log that has signed nothing, are not found', async () => {
  const { app } = front(async () => ({}));
  assert.equal((await app.request('/tile/0/000')).status, 404);
  assert.equal((await app.request('/checkpoint')).status, 404);
});

test('a tile is asked for once, and a checkpoint again when it is old', async () => {
  const names: string[] = [];
  const { app, clock } = front((name) => {
    names.push(name);
    return answers(name);
  });
  for (const path of ['/tile/0/000', '/tile/0/000', '/checkpoint', '/sigsum/checkpoint']) {
    await app.request(path);
  }
  assert.deepEqual(names, ['ledger.tile.v1', 'ledger.checkpoint.v1']);
  clock.now = 10_000;
  await app.request('/checkpoint');
  assert.equal(names.length, 3);
});

test('many who are not known cannot put more questions at once than are borne', async () => {
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  const { app } = front(async (name) => {
    asked += 1;
    await gate.promise;
    return answers(name);
  });
  const paths = Array.from({ length: 3 * ANONYMOUS_MAX }, (_, n) => `/tile/0/x001/${100 + n}`);
  const requests = paths.map(async (path) => (await app.request(path)).status);
  // The refused ones are answered while none of the others is.
  await Promise.all(requests.slice(ANONYMOUS_MAX));
  assert.equal(asked, ANONYMOUS_MAX);
  gate.resolve();
  const statuses = await Promise.all(requests);
  assert.equal(statuses.filter((status) => status === 200).length, ANONYMOUS_MAX);
  assert.equal(statuses.filter((status) => status === 503).length, 2 * ANONYMOUS_MAX);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { ExecutionLapsedV1 } from '@impound/contracts/execution/lapsed.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { wait } from '@impound/runtime/wait.ts';
import { listSessions } from '../src/adapters/file-session.ts';
import { formatDigest } from '../src/domain/content-digest.ts';
import { PART_BYTES_MAX } from '../src/domain/limits.ts';
import {
  at,
  bytesOf,
  complete,
  house,
  LIMIT,
  problemOf,
  put,
  sha256,
  upload,
} from './uploader-in-a-house.ts';

test(
  'requests that are wrong are refused by name, and nothing is kept of them',
  LIMIT,
  async (t) => {
    const it = await house(t);
    const url = await it.open();
    const body = bytesOf('bytes');
    await problemOf(await put(url, 1, body, sha256(bytesOf('other'))), 400, 'digest-mismatch');
    for (const number of ['0', '10001', '01', 'x', '1e3', '%2e%2e']) {
      await problemOf(await put(url, number, body), 400, 'part-refused').catch((error) => {
        // A dot segment is resolved before it is sent: it never reaches a part.
        if (number !== '%2e%2e') throw error;
      });
    }
    const bare = await fetch(at(url, '/parts/1'), { method: 'PUT', body });
    await problemOf(bare, 400, 'digest-missing');
    const streamed = new ReadableStream({
      start: (controller) => {
        controller.enqueue(body);
        controller.close();
      },
    });
    const headers = { 'content-digest': formatDigest(sha256(body)) };
    const init = { method: 'PUT', body: streamed, headers, duplex: 'half' };
    await problemOf(await fetch(at(url, '/parts/1'), init as RequestInit), 411, 'length-required');
    const signed = new URL(url);
    const forged = signed.searchParams
      .get('sig')
      ?.replace(/^./, (one) => (one === '_' ? 'A' : '_'));
    signed.searchParams.set('sig', forged ?? '');
    for (const method of ['GET', 'DELETE']) {
      await problemOf(await fetch(signed, { method }), 403, 'signature-refused');
    }
    await problemOf(await put(signed.href, 1, body), 403, 'signature-refused');
    await problemOf(await complete(signed.href, {}), 403, 'signature-refused');
    const traversal = new URL(url);
    traversal.pathname = `/v1/uploads/${Buffer.from('../../etc/passwd').toString('base64url')}`;
    await problemOf(await fetch(traversal), 403, 'signature-refused');
    await problemOf(await fetch(url, { method: 'PATCH' }), 405, 'method-refused');
    await problemOf(await fetch(new URL('/v1/nothing', url)), 404, 'not-found');
    for (const whole of [{}, { parts: -1, bytes: 5, sha256: 'x' }, { parts: [], bytes: 0 }]) {
      await problemOf(await complete(url, whole), 400, 'body-refused');
    }
    await problemOf(await complete(url, { a: 'a'.repeat(5_000) }), 413, 'too-large');
    assert.deepEqual(await (await fetch(url)).json(), { parts: [] });
  },
);

test('a part that announces too much is refused before its bytes are read', LIMIT, async (t) => {
  const it = await house(t);
  const sending = request(at(await it.open(), '/parts/1'), {
    method: 'PUT',
    headers: {
      'content-length': PART_BYTES_MAX + 1,
      'content-digest': formatDigest('a'.repeat(64)),
    },
  });
  sending.on('error', () => undefined);
  sending.flushHeaders();
  const [answer] = await once(sending, 'response');
  assert.equal(answer.statusCode, 413);
  sending.destroy();
});

test('a refusal reaches who is still sending a whole part', LIMIT, async (t) => {
  const it = await house(t, { STORE_BYTES_MAX: '1000' });
  const url = await it.open();
  const part = Buffer.alloc(16 * 1_048_576, 'x');
  await problemOf(await put(url, 1, part), 507, 'store-full');
  await problemOf(await put(`${url}x`, 1, part), 403, 'signature-refused');
  await problemOf(await put(url, 0, part), 400, 'part-refused');
});

test('a part that breaks off leaves nothing behind and can be sent again', LIMIT, async (t) => {
  const it = await house(t);
  const url = await it.open();
  const body = bytesOf('whole part');
  const sending = request(at(url, '/parts/1'), {
    method: 'PUT',
    headers: { 'content-length': body.length, 'content-digest': formatDigest(sha256(body)) },
  });
  sending.on('error', () => undefined);
  sending.write(body.subarray(0, 5));
  await wait(100, t.signal);
  sending.destroy();
  assert.equal((await put(url, 1, body)).status, 204);
  const session = join(it.directory, 'sessions', 'default', it.acquisitionId);
  const [name = ''] = await readdir(session);
  for (let drafts = 1; drafts > 0; await wait(10, t.signal)) {
    drafts = (await readdir(join(session, name))).filter((one) => one.startsWith('draft')).length;
  }
});

test(
  'of many writers of one part the first wins, and the same bytes are no quarrel',
  LIMIT,
  async (t) => {
    const it = await house(t);
    const url = await it.open();
    const same = await Promise.all(Array.from({ length: 8 }, () => put(url, 1, bytesOf('same'))));
    assert.deepEqual(
      same.map((answer) => answer.status),
      Array(8).fill(204),
    );
    const others = await Promise.all(
      Array.from({ length: 8 }, (_, index) => put(url, 2, bytesOf(`writer ${index}`))),
    );
    const statuses = others.map((answer) => answer.status).toSorted();
    assert.deepEqual(statuses, [204, ...Array(7).fill(409)]);
    await problemOf(await put(url, 1, bytesOf('else')), 409, 'part-differs');
  },
);

test('a full store says so, and goes on when there is room again', LIMIT, async (t) => {
  const it = await house(t, { STORE_BYTES_MAX: '1000' });
  const url = await it.open();
  const big = bytesOf('x', 600);
  assert.equal((await put(url, 1, big)).status, 204);
  await problemOf(await put(url, 2, big), 507, 'store-full');
  assert.equal((await put(url, 1, big)).status, 204);
  assert.equal((await fetch(url, { method: 'DELETE' })).status, 204);
  await upload(url, big, bytesOf('y', 400));
  const other = await it.open({ name: 'other' });
  await problemOf(await put(other, 1, bytesOf('z')), 507, 'store-full');
  await it.restart();
  await problemOf(await put(await it.open({ name: 'other' }), 1, bytesOf('z')), 507, 'store-full');
});

test(
  'an upload is opened for the claimant of the live epoch and for nobody else',
  LIMIT,
  async (t) => {
    const it = await house(t);
    const refused = [
      [{ acquisitionId: newId() }, 'acquisition-unknown'],
      [{ tenant: 'other' }, 'acquisition-unknown'],
      [{ set: 'e2' }, 'epoch-not-live'],
      [{ worker: 'k8s-2-0000' }, 'not-claimant'],
      [{ name: '../escape' }, 'invalid'],
      [{ set: '..' }, 'invalid'],
    ] as const;
    for (const [changes, code] of refused) {
      await assert.rejects(it.open(changes), { name: 'Never', code });
    }
    const sessions = Array.from({ length: 64 }, (_, index) => it.open({ name: `object-${index}` }));
    assert.equal(new Set(await Promise.all(sessions)).size, 64);
    await assert.rejects(it.open({ name: 'one-more' }), {
      name: 'Later',
      code: 'sessions-exhausted',
    });
    await it.record(AcquisitionFailedV1 as never, AcquisitionFailedV1.example);
    await assert.rejects(it.open(), { name: 'Never', code: 'acquisition-ended' });
  },
);

test('a URL is good for nothing once its epoch has lapsed', LIMIT, async (t) => {
  const it = await house(t);
  const url = await it.open();
  assert.equal((await put(url, 1, bytesOf('a'))).status, 204);
  await it.record(ExecutionLapsedV1 as never, ExecutionLapsedV1.example);
  const refused = async () => {
    // For a moment the last answer of the ledger counts still.
    for (;;) {
      const answer = await put(url, 2, bytesOf('b'));
      if (answer.status !== 204) return answer;
      await wait(50, t.signal);
    }
  };
  await problemOf(await refused(), 403, 'epoch-over');
  const whole = { parts: 1, bytes: 1, sha256: sha256(bytesOf('a')) };
  await problemOf(await complete(url, whole), 403, 'epoch-over');
  const left = join(it.directory, 'sessions', 'default', it.acquisitionId);
  assert.deepEqual(await readdir(left).catch(() => []), []);
});

test('after a restart it still knows what lies unfinished in its directory', LIMIT, async (t) => {
  const it = await house(t);
  const url = await it.open();
  assert.equal((await put(url, 1, bytesOf('a'))).status, 204);
  await it.restart();
  const sessions = await listSessions(it.directory);
  assert.deepEqual(
    sessions.map(({ acquisitionId, set, name }) => [acquisitionId, set, name]),
    [[it.acquisitionId, 'e1', 'manifest.jsonl']],
  );
});

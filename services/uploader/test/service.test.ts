// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { UploaderReadV1 } from '@impound/contracts/ask/uploader.read.v1.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { formatDigest } from '../src/domain/content-digest.ts';

import {
  bytesOf,
  complete,
  house,
  LIMIT,
  problemOf,
  put,
  sha256,
  upload,
} from './uploader-in-a-house.ts';

test('parts become an object that is read back and recorded as stored', LIMIT, async (t) => {
  const it = await house(t);
  const url = await it.open();
  const first = bytesOf('first ', 50_000);
  await put(url, 2, bytesOf('second'));
  await put(url, 1, first);
  const held = (await (await fetch(url)).json()) as object;
  assert.deepEqual(held, {
    parts: [
      { number: 1, bytes: first.length, sha256: sha256(first) },
      { number: 2, bytes: 6, sha256: sha256(bytesOf('second')) },
    ],
  });
  const { object, whole } = await upload(url, first, bytesOf('second'));
  assert.equal(object.key, it.key('e1', 'manifest.jsonl'));
  assert.deepEqual(await (await complete(url, whole)).json(), { object });
  assert.deepEqual(await (await fetch(url)).json(), { parts: [], completed: object });
  const file = await stat(join(it.directory, 'objects', object.key));
  assert.equal(file.mode & 0o777, 0o440);
  const context = await it.open({ set: 'context', name: 'context.tar.zst', worker: 'discovery-1' });
  const { object: found } = await upload(context, bytesOf('context'));
  await it.record(ContextCapturedV1 as never, { objects: [found], gaps: [] });
  const captured = { ...EvidenceCapturedV1.example, objects: [object] };
  await it.record(EvidenceCapturedV1 as never, captured);
  const said = (type: string) =>
    until(() => it.ledger.chain(it.acquisitionId).find(({ event }) => event.type === type));
  for (const [type, sha256] of [
    ['evidence.stored.v1', object.sha256],
    ['context.stored.v1', found.sha256],
  ] as const) {
    const { objects } = (await said(type)).event.data as { objects: { sha256: string }[] };
    assert.deepEqual(
      objects.map((one) => one.sha256),
      [sha256],
    );
  }
});

test('evidence that was changed in the store is rejected', LIMIT, async (t) => {
  const it = await house(t);
  const { object } = await upload(await it.open(), bytesOf('evidence'));
  const path = join(it.directory, 'objects', object.key);
  await chmod(path, 0o600);
  await writeFile(path, 'EVIDENCE');
  const captured = { ...EvidenceCapturedV1.example, objects: [object] };
  await it.record(EvidenceCapturedV1 as never, captured);
  const said = await until(() => it.ledger.chain(it.acquisitionId)[4]);
  assert.equal(said.event.type, 'evidence.rejected.v1');
  assert.equal(said.event.data['code'], 'digest-mismatch');
});

test(
  'an object stands once: what does not fit is refused and changes nothing',
  LIMIT,
  async (t) => {
    const it = await house(t);
    const url = await it.open();
    const body = bytesOf('evidence');
    const whole = { parts: 1, bytes: body.length, sha256: sha256(body) };
    await problemOf(await complete(url, whole), 422, 'object-mismatch');
    assert.equal((await put(url, 1, body)).status, 204);
    for (const change of [{ parts: 2 }, { parts: 0 }, { bytes: 7 }, { sha256: 'a'.repeat(64) }]) {
      await problemOf(await complete(url, { ...whole, ...change }), 422, 'object-mismatch');
    }
    assert.equal(
      ((await (await fetch(url)).json()) as { completed?: object }).completed,
      undefined,
    );
    const answers = await Promise.all(Array.from({ length: 4 }, () => complete(url, whole)));
    assert.deepEqual(
      answers.map((answer) => answer.status),
      Array(4).fill(200),
    );
    const other = { ...whole, sha256: 'a'.repeat(64) };
    await problemOf(await complete(url, other), 409, 'object-differs');
    await problemOf(await put(url, 1, body), 409, 'object-complete');
    assert.equal((await fetch(url, { method: 'DELETE' })).status, 204);
    assert.deepEqual(await (await complete(url, whole)).json(), await answers[0]?.json());
    const empty = await it.open({ name: 'empty' });
    assert.equal((await upload(empty)).object.sha256, sha256(bytesOf('')));
  },
);

test('an upload goes on where it was after the uploader started anew', LIMIT, async (t) => {
  const it = await house(t);
  const before = await it.open();
  assert.equal((await put(before, 1, bytesOf('first '))).status, 204);
  await it.restart();
  const after = await it.open();
  assert.equal(new URL(before).pathname, new URL(after).pathname);
  const moved = new URL(before);
  moved.host = new URL(after).host;
  assert.equal((await put(moved.href, 2, bytesOf('second'))).status, 204);
  const all = bytesOf('first second');
  const whole = { parts: 2, bytes: all.length, sha256: sha256(all) };
  assert.equal((await complete(moved.href, whole)).status, 200);
});

test('a stored object is read by a signed URL, whole or in part', LIMIT, async (t) => {
  const it = await house(t);
  const body = bytesOf('0123456789', 30_000);
  const { object } = await upload(await it.open(), body);
  const of = { tenant: 'default', acquisitionId: it.acquisitionId, key: object.key };
  const { url, bytes } = await it.ask(UploaderReadV1, of as never, t.signal);
  assert.equal(bytes, body.length);
  const answer = await fetch(url);
  assert.equal(answer.headers.get('content-digest'), formatDigest(object.sha256));
  assert.equal(sha256(new Uint8Array(await answer.arrayBuffer())), object.sha256);
  const part = await fetch(url, { headers: { range: 'bytes=5-14' } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), `bytes 5-14/${body.length}`);
  assert.equal(part.headers.get('content-digest'), null);
  assert.equal(await part.text(), '5678901234');
  const beyond = await fetch(url, { headers: { range: `bytes=${body.length}-` } });
  await problemOf(beyond, 416, 'range-refused');
  const head = await fetch(url, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), String(body.length));
  await problemOf(await fetch(url, { method: 'PUT', body: 'x' }), 405, 'method-refused');
  for (const key of [
    object.key.replace('default', 'other'),
    `${object.key}x`,
    '../../etc/passwd',
  ]) {
    const wrong = it.ask(UploaderReadV1, { ...of, key } as never, t.signal);
    await assert.rejects(wrong, { name: 'Never', code: 'object-missing' });
  }
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { HEADER, verified } from '@impound/evidence/testing/specimen.ts';
import { type UploadOptions, uploadSession } from '@impound/evidence/upload.ts';
import type { UploadFault } from '@impound/evidence/upload-fault.ts';
import { uploaderSink } from '@impound/evidence/uploader-sink.ts';
import { evidenceWriter } from '@impound/evidence/writer.ts';
import { type Fault, SIGNATURE, scriptedStore } from '../src/testing/scripted-store.ts';

const BYTES = Buffer.from('part one');
const SHA256 = createHash('sha256').update(BYTES).digest('hex');
const WHOLE = { bytes: BYTES.length, sha256Hex: SHA256 };
const FAST = { name: 'manifest.jsonl', backoffMs: 1, retryMsMax: 2_000 };
const signal = AbortSignal.timeout(280_000);

function options(url: string): UploadOptions {
  return { ...FAST, url };
}

test('a capture goes through upload sessions and verifies at the other end', async () => {
  await using store = await scriptedStore();
  const sink = uploaderSink(async (name) => store.url(name), { backoffMs: 1, token: 'secret' });
  await using writer = await evidenceWriter({ sink, header: HEADER, level: 1 }, signal);
  await writer.file({ area: 'files', path: '/big' }, randomBytes(20 * 1_024 * 1_024));
  const { objects } = await writer.end();
  const sizes = store.partsOf('evidence.tar.zst').map((part) => part.length);
  assert.equal(sizes.length, 3);
  assert.ok(sizes.slice(0, -1).every((size) => size >= 8 * 1_024 * 1_024));
  assert.ok(sizes.every((size) => size <= 16 * 1_024 * 1_024));
  assert.equal(objects[0]?.key, 'default/evidence.tar.zst');
  const archive = Buffer.concat(store.partsOf('evidence.tar.zst'));
  const manifest = Buffer.concat(store.partsOf('manifest.jsonl'));
  assert.deepEqual((await verified({ archive, manifest })).findings, []);
  assert.deepEqual([...store.tokens], ['Bearer secret']);
});

const SURVIVED: readonly (readonly [string, readonly Fault[], readonly string[]])[] = [
  ['503 once', [{ on: 'PUT', status: 503 }], ['GET', 'PUT', 'PUT', 'POST']],
  ['a full store that gets room', [{ on: 'PUT', status: 507 }], ['GET', 'PUT', 'PUT', 'POST']],
  ['429 twice', [{ on: 'PUT', status: 429, times: 2 }], ['GET', 'PUT', 'PUT', 'PUT', 'POST']],
  ['a cut connection', [{ on: 'PUT', cut: 'before' }], ['GET', 'PUT', 'GET', 'PUT', 'POST']],
  ['an answer that got lost', [{ on: 'PUT', cut: 'after' }], ['GET', 'PUT', 'GET', 'POST']],
  ['a lost completion', [{ on: 'POST', cut: 'after' }], ['GET', 'PUT', 'POST', 'POST']],
  ['a store that starts late', [{ on: 'GET', status: 502 }], ['GET', 'GET', 'PUT', 'POST']],
];

for (const [name, faults, requests] of SURVIVED) {
  test(`an upload survives ${name}`, async () => {
    await using store = await scriptedStore(faults);
    const object = await uploadSession(options(store.url(FAST.name)), signal);
    await object.part(BYTES, SHA256);
    const stored = await object.complete(WHOLE);
    assert.deepEqual(stored, {
      name: FAST.name,
      bytes: BYTES.length,
      sha256: SHA256,
      key: `default/${FAST.name}`,
    });
    assert.deepEqual(store.requests, requests);
  });
}

const REFUSED: readonly (readonly [Fault, string])[] = [
  [{ on: 'PUT', status: 409 }, 'part-conflict'],
  [{ on: 'PUT', status: 400, type: 'urn:impound:problem:digest-mismatch' }, 'digest-mismatch'],
  [{ on: 'PUT', status: 400, type: 'urn:impound:problem:part-refused' }, 'upload-refused'],
  [{ on: 'PUT', status: 401 }, 'session-expired'],
  [{ on: 'PUT', status: 403 }, 'session-expired'],
  [{ on: 'PUT', status: 413 }, 'part-too-large'],
  [{ on: 'PUT', status: 302 }, 'upload-refused'],
  [{ on: 'GET', status: 404 }, 'session-expired'],
  [{ on: 'GET', status: 200, body: '<html>' }, 'answer-invalid'],
  [{ on: 'GET', status: 200, type: 'too long', body: ' '.repeat(5_000_000) }, 'answer-invalid'],
  [{ on: 'POST', status: 422 }, 'digest-mismatch'],
  [{ on: 'POST', status: 200, body: '{}' }, 'answer-invalid'],
];

for (const [fault, code] of REFUSED) {
  const { on, status, type = '' } = fault;
  const answer = `${on} answered by ${status} ${type.slice(20)}`;
  test(`${answer} is ${code}, said once, without the URL`, async () => {
    await using store = await scriptedStore([{ ...fault, times: 9 }]);
    const error = await upload(store.url(FAST.name)).catch((reason: UploadFault) => reason);
    assert.ok(error instanceof Error);
    assert.equal(error.code, code);
    const told = inspect(error, { depth: 9 }) + JSON.stringify(error) + error.stack;
    assert.ok(!told.includes(SIGNATURE), told);
    assert.ok(!told.includes('127.0.0.1'), told);
    assert.equal(store.requests.filter((method) => method === on).length, 1);
  });
}

async function upload(url: string): Promise<UploadFault | undefined> {
  const object = await uploadSession(options(url), signal);
  await object.part(BYTES, SHA256);
  await object.complete(WHOLE);
  return undefined;
}

for (const on of ['PUT', 'POST'] as const) {
  test(`a URL that is not good any more at a ${on} is renewed, and nothing is lost`, async () => {
    await using store = await scriptedStore([{ on, status: 403 }]);
    let opened = 0;
    const open = async (name: string) => `${store.url(name)}&opened=${++opened}`;
    const object = await uploaderSink(open, { backoffMs: 1 }).object(FAST.name, signal);
    await object.part(BYTES, SHA256);
    const { sha256 } = await object.complete(WHOLE);
    assert.deepEqual([sha256, opened], [SHA256, 2]);
  });
}

test('a URL that is refused as soon as it is renewed is given up', async () => {
  await using store = await scriptedStore([{ on: 'PUT', status: 403, times: 9 }]);
  const sink = uploaderSink(async (name) => store.url(name), { backoffMs: 1 });
  const object = await sink.object(FAST.name, signal);
  await assert.rejects(object.part(BYTES, SHA256), { code: 'session-expired' });
  assert.deepEqual(store.requests, ['GET', 'PUT', 'PUT']);
});

test('a store that stays full is store-full after a bounded time, and says what to do', async () => {
  await using store = await scriptedStore([{ on: 'PUT', status: 507, times: 99 }]);
  const object = await uploadSession({ ...options(store.url(FAST.name)), retryMsMax: 50 }, signal);
  const part = object.part(BYTES, SHA256);
  await assert.rejects(part, { code: 'store-full', status: 507, message: /make room/ });
});

test('a store that stays away is store-unreachable after a bounded time', async () => {
  const url = await (async () => {
    await using store = await scriptedStore();
    return store.url(FAST.name);
  })();
  const opening = uploadSession({ ...options(url), retryMsMax: 50 }, signal);
  await assert.rejects(opening, { code: 'store-unreachable', message: /ECONNREFUSED/ });
});

test('parts that are there already are not sent again', async () => {
  await using store = await scriptedStore();
  const first = await uploadSession(options(store.url(FAST.name)), signal);
  await first.part(BYTES, SHA256);
  const second = await uploadSession(options(store.url(FAST.name)), signal);
  await second.part(BYTES, SHA256);
  await second.complete(WHOLE);
  assert.deepEqual(store.requests, ['GET', 'PUT', 'GET', 'POST']);
});

test('what an earlier attempt left is dropped where it differs', async () => {
  await using store = await scriptedStore();
  const first = await uploadSession(options(store.url(FAST.name)), signal);
  const other = Buffer.from('something else');
  await first.part(other, createHash('sha256').update(other).digest('hex'));
  const second = await uploadSession(options(store.url(FAST.name)), signal);
  await second.part(BYTES, SHA256);
  await second.complete(WHOLE);
  assert.deepEqual(store.requests, ['GET', 'PUT', 'GET', 'DELETE', 'PUT', 'POST']);
});

test('an object that stands is taken where it is the same, and never replaced', async () => {
  await using store = await scriptedStore();
  await upload(store.url(FAST.name));
  await upload(store.url(FAST.name));
  const object = await uploadSession(options(store.url(FAST.name)), signal);
  await object.part(Buffer.from('x'), '0'.repeat(64));
  const whole = { bytes: 1, sha256Hex: '0'.repeat(64) };
  await assert.rejects(object.complete(whole), { code: 'part-conflict' });
  assert.deepEqual(store.requests, ['GET', 'PUT', 'POST', 'GET', 'GET']);
});

test('an aborted signal ends the waiting, and abort never rejects', async () => {
  await using store = await scriptedStore([{ on: 'PUT', status: 503, times: 999 }]);
  const stop = new AbortController();
  const object = await uploadSession(
    { ...options(store.url('a')), backoffMs: 10_000, retryMsMax: 60_000 },
    stop.signal,
  );
  const sent = object.part(BYTES, SHA256);
  setTimeout(() => stop.abort(new Error('cancelled')), 50);
  await assert.rejects(sent, (error: Error) => /cancelled|aborted/.test(error.message));
  await object.abort();
  assert.equal(store.requests.at(-1), 'DELETE');
});

for (const url of ['ftp://example.test/a', 'not a URL', 'http://user:pass@example.test/']) {
  test(`${url.slice(0, 9)} is no upload URL`, async () => {
    await assert.rejects(uploadSession(options(url), signal), { code: 'url-refused' });
  });
}

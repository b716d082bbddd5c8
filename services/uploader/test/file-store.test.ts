// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import { openFileStore } from '../src/adapters/file-store.ts';
import { PARTS_MAX, SESSION_MS_MAX } from '../src/domain/limits.ts';
import { keyOf, SessionName } from '../src/domain/object-name.ts';
import { storeConformance } from './evidence-store.conformance.ts';

const session = SessionName.parse(UploaderOpenV1.example.request);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const signal = AbortSignal.any([]);

storeConformance('directory', async (scope) => {
  const directory = await mkdtemp(join(tmpdir(), 'impound-store-'));
  scope.defer(() => rm(directory, { recursive: true, force: true }));
  return {
    environment: { STORE_URL: pathToFileURL(directory).href },
    replace: async (key, bytes) => {
      const path = join(directory, 'objects', key);
      await rm(path);
      await writeFile(path, bytes);
    },
    keepsVersions: false,
    knowsDigests: true,
    hashesWhole: true,
  };
});

async function storeOf(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'impound-store-'));
  const scope = new AsyncDisposableStack();
  t.after(async () => {
    await scope.disposeAsync();
    await rm(directory, { recursive: true, force: true });
  });
  const opened = async () => {
    const store = await openFileStore({ directory }, scope);
    const put = (number: number, text: string, digest = sha256(text)) =>
      store.put(session, { number, bytes: text.length, sha256: digest }, contentOf(text), signal);
    return { store, put };
  };
  return { directory, restarted: opened, ...(await opened()) };
}

const wholeOf = (...texts: string[]) => {
  const text = texts.join('');
  return { parts: texts.length, bytes: text.length, sha256: sha256(text) };
};

async function* contentOf(text: string): AsyncGenerator<Uint8Array> {
  for (const character of text) yield Buffer.from(character);
}

test('an abandoned upload is removed after a day and a young one stays', async (t) => {
  const { directory, store, put } = await storeOf(t);
  await put(1, 'part');
  assert.equal(await store.sweep(Date.now() + SESSION_MS_MAX - 60_000), 0);
  assert.equal((await store.holding(session)).parts.length, 1);
  assert.equal(await store.sweep(Date.now() + SESSION_MS_MAX + 60_000), 1);
  assert.deepEqual(await store.holding(session), { parts: [] });
  assert.deepEqual(await readdir(join(directory, 'objects')).catch(() => []), []);
});

test('an object whose note was lost in a crash is read and noted again', async (t) => {
  const { directory, store, put } = await storeOf(t);
  await put(1, 'evidence');
  const whole = { parts: 1, bytes: 8, sha256: sha256('evidence') };
  const object = await store.complete(session, whole, signal);
  const note = join(directory, 'notes', `${keyOf(session)}.json`);
  await rm(note);
  assert.deepEqual(await store.stat(session), object);
  const noted = JSON.parse(await readFile(note, 'utf8'));
  assert.deepEqual(noted, { bytes: whole.bytes, sha256: whole.sha256 });
  await rm(note);
  assert.deepEqual(await store.complete(session, whole, signal), object);
});

test('parts beyond the last number, or with a false length or digest, are not kept', async (t) => {
  const { store, put } = await storeOf(t);
  const refused = { name: 'StoreFault', code: 'part-refused' };
  for (const number of [0, -1, 1.5, PARTS_MAX + 1]) await assert.rejects(put(number, 'x'), refused);
  await assert.rejects(put(1, 'x', sha256('y')), { code: 'digest-mismatch' });
  const long = { number: 1, bytes: 3, sha256: sha256('long') };
  await assert.rejects(store.put(session, long, contentOf('long'), signal), {
    code: 'digest-mismatch',
  });
  assert.deepEqual(await store.holding(session), { parts: [] });
});

test('an object that changes between two readings is noticed, one reading per cause', async (t) => {
  const { directory, store, put } = await storeOf(t);
  await put(1, 'evidence');
  await store.complete(session, { parts: 1, bytes: 8, sha256: sha256('evidence') }, signal);
  const first = await store.verify({ object: session, cause: 'one' }, signal);
  assert.equal(first?.sha256, sha256('evidence'));
  await rm(join(directory, 'objects', keyOf(session)));
  assert.deepEqual(await store.verify({ object: session, cause: 'one' }, signal), first);
  assert.equal(await store.verify({ object: session, cause: 'two' }, signal), undefined);
  const stopped = AbortSignal.abort(new Error('stopped'));
  await assert.rejects(store.verify({ object: session, cause: 'three' }, stopped), /stopped/);
});

test('an object that is replaced within a tick of the clock that stamps files is read', async (t) => {
  const { directory, store, put } = await storeOf(t);
  await put(1, 'evidence');
  await store.complete(session, wholeOf('evidence'), signal);
  const path = join(directory, 'objects', keyOf(session));
  await rm(path);
  await writeFile(path, 'ecnedive');
  const { ctimeMs } = await stat(path);
  const held = await store.inspect({ object: session, versionId: undefined }, ctimeMs + 10);
  assert.equal(held?.sha256, sha256('ecnedive'));
});

test('parts that come in order become the object as they lie there', async (t) => {
  const { directory, store, put } = await storeOf(t);
  await put(1, 'first ');
  await put(2, 'second');
  const path = join(directory, 'sessions', session.tenant, session.acquisitionId);
  const [name = ''] = await readdir(path);
  const { ino } = await stat(join(path, name, 'whole'));
  await store.complete(session, wholeOf('first ', 'second'), signal);
  const object = join(directory, 'objects', keyOf(session));
  assert.equal((await stat(object)).ino, ino);
  assert.equal((await stat(object)).mode & 0o777, 0o440);
  assert.equal(await readFile(object, 'utf8'), 'first second');
  assert.deepEqual(await readdir(path), []);
});

type Opened = Pick<Awaited<ReturnType<typeof storeOf>>, 'put' | 'restarted' | 'store'>;

const WAYS: readonly [string, (it: Opened) => Promise<Pick<Opened, 'store'>>][] = [
  [
    'one of them first with false bytes',
    async ({ put, store }) => {
      await put(1, 'a');
      await assert.rejects(put(2, 'much too long', sha256('bb')), { code: 'digest-mismatch' });
      await put(2, 'bb');
      await put(3, 'ccc');
      return { store };
    },
  ],
  [
    'the first of them first with false bytes',
    async ({ put, store }) => {
      await assert.rejects(put(1, 'much too long', sha256('a')), { code: 'digest-mismatch' });
      for (const [number, text] of ['a', 'bb', 'ccc'].entries()) await put(number + 1, text);
      return { store };
    },
  ],
  [
    'in another order',
    async ({ put, store }) => {
      await put(1, 'a');
      await put(3, 'ccc');
      await put(2, 'bb');
      return { store };
    },
  ],
  [
    'all at once',
    async ({ put, store }) => {
      await Promise.all([put(3, 'ccc'), put(1, 'a'), put(2, 'bb')]);
      return { store };
    },
  ],
  [
    'across a restart',
    async ({ put, restarted }) => {
      await put(1, 'a');
      await put(2, 'bb');
      const again = await restarted();
      await again.put(3, 'ccc');
      return again;
    },
  ],
  [
    'the completion before the last of them',
    async ({ put, store }) => {
      await put(1, 'a');
      await put(2, 'bb');
      const early = { ...wholeOf('a', 'bb'), sha256: sha256('else') };
      await assert.rejects(store.complete(session, early, signal), { code: 'object-mismatch' });
      await put(3, 'ccc');
      return { store };
    },
  ],
];

for (const [way, play] of WAYS) {
  test(`parts that come ${way} make the same object`, async (t) => {
    const it = await storeOf(t);
    const { store } = await play(it);
    assert.deepEqual(
      (await store.holding(session)).parts,
      ['a', 'bb', 'ccc'].map((text, at) => {
        return { number: at + 1, bytes: text.length, sha256: sha256(text) };
      }),
    );
    await store.complete(session, wholeOf('a', 'bb', 'ccc'), signal);
    const object = join(it.directory, 'objects', keyOf(session));
    assert.equal(await readFile(object, 'utf8'), 'abbccc');
  });
}

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreRight } from '@impound/contracts/store-permissions.ts';
import { readConfig } from '@impound/runtime/config.ts';
import { examine, storeOptions } from '../src/adapters/open-store.ts';
import { storeConfig } from '../src/config.ts';
import { type DirectPut, StoreFault } from '../src/domain/evidence-store.ts';
import type { FaultyProxy } from './faulty-proxy.ts';
import {
  contentOf,
  LIMIT,
  lookAgain,
  MIB,
  never,
  newSession,
  openIt,
  partOf,
  put,
  recorded,
  type Subject,
  sha256,
  upload,
  wholeOf,
} from './store-bench.ts';

const BODY = Buffer.from('evidence that goes straight to the store');

function send({ url, headers }: DirectPut, body: Uint8Array, changes: Record<string, string> = {}) {
  return fetch(url, {
    method: 'PUT',
    headers: { ...headers, ...changes },
    body: Buffer.from(body),
  });
}

function proxyOf(subject: Subject): FaultyProxy {
  return subject.proxy ?? assert.fail('a cloud store is behind a proxy');
}

/** In the words of all stores: S3 and Azure put, Google Cloud Storage posts. */
function isWriting(asked: string): boolean {
  return asked.startsWith('PUT') || asked.startsWith('POST /upload/');
}

function isReading(asked: string, name: string): boolean {
  const other = /prefix|uploads|versions|notes|comp/.test(asked);
  const told = asked.includes('/storage/v1/') && !asked.includes('alt');
  return asked.startsWith('GET') && asked.includes(name) && !other && !told;
}

async function findingsOf(subject: Subject, changes: Record<string, string>) {
  await using scope = new AsyncDisposableStack();
  const given = readConfig(storeConfig, { ...subject.environment, ...changes });
  return (await examine(storeOptions(given), scope)).findings;
}

/** What a store that others reach over a network promises besides. */
export function cloudConformance(
  name: string,
  of: {
    /** True where the server compares signatures, as all but moto do. */
    readonly verifiesSignatures: boolean;
    /** A key that the server does not know; absent where it asks for none. */
    readonly strangersKey: string | undefined;
    readonly rights: readonly StoreRight[];
    /** The rights that requests need, by how they look in `seen`; the first that fits counts. */
    readonly needs: readonly (readonly [RegExp, string])[];
  },
): (get: () => Subject) => void {
  return (get) => {
    test(
      `${name}: what was verified is locked, and told as the store tells it`,
      LIMIT,
      async (t) => {
        const { remove } = get();
        if (remove === undefined) return t.skip('this server locks nothing');
        const wanted = { RETENTION_MODE: 'governance', RETENTION_DAYS: '2' };
        const { store, findings } = await openIt(t, get(), wanted);
        assert.deepEqual(
          findings.filter(({ code }) => code === 'no-lock'),
          [],
        );
        const session = newSession();
        const object = await upload(store, session, BODY);
        const found = await store.verify({ object: session, cause: 'lock' }, never);
        const version = { object: session, versionId: found?.versionId };
        const { store: lax } = await openIt(t, get());
        assert.deepEqual(await lax.retain(version), { mode: 'none' });
        const locked = await store.retain(version);
        assert.equal(locked.mode, 'governance');
        const days = (Date.parse(locked.until ?? '') - Date.now()) / 86_400_000;
        assert.ok(days > 1.9 && days < 2.1, locked.until);
        // The same message heard again moves no date.
        assert.deepEqual(await store.retain(version), locked);
        assert.deepEqual(await lax.retain(version), locked);
        const { verifiedAt } = await recorded(store, session, object);
        const stored = { ...object, ...found, retention: locked, verifiedAt };
        assert.deepEqual(await lookAgain(lax, session, stored), []);
        await assert.rejects(remove(object.key, found?.versionId));
        await get().shorten?.(object.key, found?.versionId);
        const shortened = get().shorten === undefined ? [] : ['lock-shortened'];
        assert.deepEqual(await lookAgain(lax, session, stored), shortened);
        assert.equal(
          (await store.verify({ object: session, cause: 'locked' }, never))?.bytes,
          BODY.length,
        );
      },
    );

    test(`${name}: a place that cannot lock is refused where it must`, LIMIT, async () => {
      const { unlocked } = get();
      if (unlocked === undefined) return;
      const must = { STORE_URL: unlocked, RETENTION_MODE: 'compliance' };
      const stops = (await findingsOf(get(), must)).filter(({ level }) => level === 'stop');
      assert.deepEqual(
        stops.map(({ code }) => code),
        ['no-lock'],
      );
      const may = await findingsOf(get(), { STORE_URL: unlocked });
      assert.ok(may.some(({ code, level }) => code === 'no-lock' && level === 'warn'));
    });

    test(`${name}: a sender puts parts into the store itself`, LIMIT, async (t) => {
      const { store } = await openIt(t, get());
      const session = newSession();
      await store.open(session);
      const direct = await store.direct?.(session, partOf(1, BODY));
      assert.ok(direct);
      assert.equal((await send(direct, BODY)).ok, true);
      const { parts } = await store.holding(session);
      assert.deepEqual(
        parts.map(({ number, bytes }) => [number, bytes]),
        [[1, BODY.length]],
      );
      if (get().knowsDigests && get().losesSent !== true) {
        assert.equal(parts[0]?.sha256, sha256(BODY));
        assert.equal(await store.direct?.(session, partOf(1, BODY)), undefined);
        const other = store.direct?.(session, partOf(1, Buffer.from(BODY).reverse()));
        await assert.rejects(other ?? assert.fail(), { code: 'part-differs' });
      }
      await store.complete(session, wholeOf(BODY), never);
      const found = await store.verify({ object: session, cause: 'direct' }, never);
      assert.equal(found?.sha256, sha256(BODY));
      const late = store.direct?.(session, partOf(2, BODY));
      await assert.rejects(late ?? assert.fail(), { code: 'object-complete' });
    });

    test(`${name}: a URL for one part is good for no other part`, LIMIT, async (t) => {
      if (!of.verifiesSignatures) return t.skip('this server believes every signature');
      const { store } = await openIt(t, get());
      const session = newSession();
      await store.open(session);
      const direct = await store.direct?.(session, partOf(1, BODY));
      assert.ok(direct);
      for (const [from, to] of [
        ['partNumber=1', 'partNumber=2'],
        ['/00001', '/00002'],
        [session.acquisitionId, newSession().acquisitionId],
      ] as const) {
        if (!direct.url.includes(from)) continue;
        const moved = await send({ ...direct, url: direct.url.replace(from, to) }, BODY);
        assert.equal(moved.status, 403, to);
      }
      const url = new URL(direct.url);
      url.search = '';
      assert.equal((await send({ ...direct, url: url.href }, BODY)).ok, false);
      assert.deepEqual((await store.holding(session)).parts, []);
    });

    test(`${name}: other bytes do not fit the URL of a part`, LIMIT, async (t) => {
      if (!get().knowsDigests) return t.skip('this store compares no digest of a part');
      const { store } = await openIt(t, get());
      const session = newSession();
      await store.open(session);
      const direct = await store.direct?.(session, partOf(1, BODY));
      assert.ok(direct);
      await send(direct, Buffer.from(BODY).reverse());
      const { parts } = await store.holding(session);
      if (parts.length === 0) return;
      // A store that cannot compare finds out when the whole is read.
      await store.complete(session, wholeOf(BODY), never);
      const found = await store.verify({ object: session, cause: 'other' }, never);
      assert.notEqual(found?.sha256, sha256(BODY));
    });

    test(`${name}: a foreign key is refused in words that tell what to do`, LIMIT, async (t) => {
      const { strangersKey } = of;
      if (strangersKey === undefined) return t.skip('this server believes whoever asks');
      const strange = { STORE_KEY: strangersKey };
      await assert.rejects(openIt(t, get(), strange), (error) => {
        assert.ok(error instanceof StoreFault);
        assert.match(error.message, /the store refuses to .*: check STORE_KEY and deploy\/iam/);
        assert.ok(!error.message.includes(strangersKey));
        return true;
      });
    });

    test(`${name}: a store that is not there is named at the start`, LIMIT, async () => {
      const { environment } = get();
      const url = environment['STORE_URL'] ?? '';
      const away = await findingsOf(get(), { STORE_URL: url.replace(/:\d+/, ':1') });
      assert.deepEqual(
        away.map(({ level, code }) => [level, code]),
        [['stop', 'store-away']],
      );
      const missing = await findingsOf(get(), { STORE_URL: get().nowhere ?? '' });
      assert.equal(missing[0]?.level, 'stop');
      assert.match(missing[0]?.message ?? '', /^there is no /);
    });

    test(`${name}: a store that goes away and comes back loses nothing`, LIMIT, async (t) => {
      const proxy = proxyOf(get());
      const { store } = await openIt(t, get());
      const session = newSession();
      await store.open(session);
      proxy.fate = () => 'cut';
      await assert.rejects(put(store, session, 1, BODY), { code: 'store-away' });
      await assert.rejects(store.holding(session), { code: 'store-away' });
      proxy.fate = () => ({ status: 503 });
      await assert.rejects(put(store, session, 1, BODY), { code: 'store-away' });
      const late = store.complete(session, wholeOf(BODY), never);
      await assert.rejects(late, { code: 'store-away' });
      await assert.rejects(store.stat(session), { code: 'store-away' });
      proxy.fate = () => undefined;
      assert.deepEqual((await store.holding(session)).parts, []);
      await put(store, session, 1, BODY);
      await store.complete(session, wholeOf(BODY), never);
      proxy.fate = () => 'cut';
      const reading = { object: session, cause: 'away' };
      await assert.rejects(store.verify(reading, never), { code: 'store-away' });
      proxy.fate = () => undefined;
      assert.equal((await store.verify(reading, never))?.sha256, sha256(BODY));
    });

    test(`${name}: a full store says so, and nothing is half done`, LIMIT, async (t) => {
      const proxy = proxyOf(get());
      const { store } = await openIt(t, get());
      const session = newSession();
      await store.open(session);
      proxy.fate = (asked) => (isWriting(asked) ? { status: 507 } : undefined);
      await assert.rejects(put(store, session, 1, BODY), { code: 'store-full' });
      proxy.fate = () => undefined;
      assert.deepEqual((await store.holding(session)).parts, []);
      await upload(store, session, BODY);
    });

    test(`${name}: reading back goes on where a connection broke off`, LIMIT, async (t) => {
      const proxy = proxyOf(get());
      const { store } = await openIt(t, get());
      const session = newSession();
      const bytes = Buffer.alloc(3 * MIB, 'evidence');
      await upload(store, session, bytes);
      let cuts = 2;
      proxy.fate = (asked) => {
        return isReading(asked, session.name) && cuts-- > 0 ? 'cut-answer' : undefined;
      };
      const found = await store.verify({ object: session, cause: 'cut' }, never);
      proxy.fate = () => undefined;
      assert.ok(cuts <= 0, 'no answer was cut');
      assert.equal(found?.sha256, sha256(bytes));
    });

    test(`${name}: a part that is not taken is not pulled from its sender`, LIMIT, async (t) => {
      const proxy = proxyOf(get());
      const { store } = await openIt(t, get());
      const session = newSession();
      await store.open(session);
      let pulled = 0;
      const part = { number: 1, bytes: 1_024 * MIB, sha256: sha256(BODY) };
      const stop = new AbortController();
      async function* endless() {
        const piece = Buffer.alloc(MIB);
        for (; pulled < part.bytes; pulled += piece.length) yield piece;
      }
      proxy.fate = (asked) => (isWriting(asked) ? 'hang' : undefined);
      const hung = proxy.hung();
      const sending = store.put(session, part, endless(), stop.signal);
      await hung;
      stop.abort();
      await assert.rejects(sending);
      proxy.fate = () => undefined;
      assert.ok(pulled < 64 * MIB, `${pulled} bytes were taken from the sender`);
      assert.deepEqual((await store.holding(session)).parts, []);
      assert.ok(contentOf);
    });

    test(`${name}: no request so far needed a right that deploy/iam does not give`, LIMIT, () => {
      const seen = new Set(proxyOf(get()).seen);
      const given = new Set(of.rights.map(({ action }) => action));
      const needed = new Set<string>();
      for (const asked of seen) {
        const [, action] = of.needs.find(([look]) => look.test(asked)) ?? [];
        assert.ok(action !== undefined && given.has(action), `${asked} needs ${action}`);
        needed.add(action);
      }
      assert.ok(needed.size > 3, [...needed].join());
    });
  };
}

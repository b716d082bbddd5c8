// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, type TestContext, test } from 'node:test';
import { type EvidenceStore, StoreFault } from '../src/domain/evidence-store.ts';
import { SESSION_MS_MAX } from '../src/domain/limits.ts';
import { keyOf, type SessionName } from '../src/domain/object-name.ts';
import { lookingAgain } from './look-again.conformance.ts';
import {
  contentOf,
  LIMIT,
  MIB,
  never,
  newSession,
  openIt,
  PREPARE_LIMIT,
  partOf,
  put,
  type Subject,
  sha256,
  upload,
  wholeOf,
} from './store-bench.ts';

async function readAll(store: EvidenceStore, of: SessionName, start: number, end: number) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(of, { start, end })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const fault = (code: string) => (error: unknown) => {
  assert.ok(error instanceof StoreFault, String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

// S3 takes no smaller part unless it is the last one.
const FIRST = randomBytes(5 * MIB);
const LAST = Buffer.from('the last part may be small');

/** What everything that calls itself an evidence store promises; `prepare` runs once. */
export function storeConformance(
  name: string,
  prepare: (scope: AsyncDisposableStack) => Promise<Subject>,
  more: (get: () => Subject) => void = () => {},
): void {
  const scope = new AsyncDisposableStack();
  let ready: Subject | undefined;
  const subject = () => ready ?? assert.fail('the server did not start');
  before(async () => {
    ready = await prepare(scope);
  }, PREPARE_LIMIT);
  after(() => scope.disposeAsync(), LIMIT);
  const promise = (what: string, prove: (t: TestContext, store: EvidenceStore) => Promise<void>) =>
    test(`${name}: ${what}`, LIMIT, async (t) => {
      const { proxy } = subject();
      if (proxy !== undefined) proxy.fate = () => undefined;
      await prove(t, (await openIt(t, subject())).store);
    });

  promise(
    'parts in any order become one object that is read whole and in part',
    async (_, store) => {
      const session = newSession();
      await store.open(session);
      await put(store, session, 2, LAST);
      await put(store, session, 1, FIRST);
      const whole = wholeOf(FIRST, LAST);
      const held = await store.holding(session);
      assert.equal(
        held.parts.map(({ number, bytes }) => `${number}: ${bytes}`).join(),
        `1: ${FIRST.length},2: ${LAST.length}`,
      );
      const object = await store.complete(session, whole, never);
      const { bytes, sha256 } = whole;
      assert.deepEqual(object, { name: session.name, key: keyOf(session), bytes, sha256 });
      assert.deepEqual(await store.stat(session), object);
      assert.deepEqual(await store.holding(session), { parts: [], completed: object });
      const all = Buffer.concat([FIRST, LAST]);
      assert.deepEqual(await readAll(store, session, 0, bytes), all);
      assert.deepEqual(await readAll(store, session, 10, 20), all.subarray(10, 20));
      const found = await store.verify({ object: session, cause: 'one' }, never);
      assert.equal(found?.sha256, sha256);
      assert.equal(found?.bytes, bytes);
    },
  );

  promise('an object of no bytes is an object', async (_, store) => {
    const session = newSession();
    const object = await upload(store, session);
    assert.equal(object.bytes, 0);
    const found = await store.verify({ object: session, cause: 'empty' }, never);
    assert.equal(found?.sha256, object.sha256);
  });

  promise('what is not there is not there', async (_, store) => {
    const session = newSession();
    assert.equal(await store.stat(session), undefined);
    assert.equal(await store.verify({ object: session, cause: 'none' }, never), undefined);
    assert.deepEqual(await store.holding(session), { parts: [] });
    await store.abandon(session);
    await assert.rejects(store.complete(session, wholeOf(LAST), never), fault('object-mismatch'));
  });

  promise('bytes without the digest and length announced are not kept', async (_, store) => {
    const session = newSession();
    await store.open(session);
    const part = partOf(1, LAST);
    const other = Buffer.from(LAST).reverse();
    const [short, long] = [LAST.subarray(1), Buffer.concat([LAST, LAST])];
    for (const bytes of [other, short, long, Buffer.alloc(0)]) {
      const sending = store.put(session, part, contentOf(bytes), never);
      await assert.rejects(sending, fault('digest-mismatch'));
    }
    async function* broken() {
      yield LAST.subarray(0, 4);
      throw new Error('the sender went away');
    }
    await assert.rejects(store.put(session, part, broken(), never), /the sender went away/);
    for (const number of [0, -1, 1.5, 10_001]) {
      const sending = store.put(session, { ...part, number }, contentOf(LAST), never);
      await assert.rejects(sending, fault('part-refused'));
    }
    assert.deepEqual((await store.holding(session)).parts, []);
  });

  promise('parts that are missing or too many make no object', async (_, store) => {
    const session = newSession();
    await store.open(session);
    await put(store, session, 2, LAST);
    const whole = wholeOf(FIRST, LAST);
    await assert.rejects(store.complete(session, whole, never), fault('object-mismatch'));
    await put(store, session, 1, FIRST);
    for (const changes of [{ parts: 1 }, { parts: 3 }, { parts: 0 }, { bytes: 1 }]) {
      const wrong = store.complete(session, { ...whole, ...changes }, never);
      await assert.rejects(wrong, fault('object-mismatch'));
    }
    assert.equal(await store.stat(session), undefined);
    await store.complete(session, whole, never);
  });

  promise('a whole with another digest never counts', async (_, store) => {
    const session = newSession();
    await put(store, session, 1, LAST);
    const lie = { ...wholeOf(LAST), sha256: sha256(FIRST) };
    const completing = store.complete(session, lie, never);
    if (subject().hashesWhole) return await assert.rejects(completing, fault('object-mismatch'));
    await completing;
    const found = await store.verify({ object: session, cause: 'lie' }, never);
    assert.equal(found?.sha256, sha256(LAST));
  });

  promise('what is repeated changes nothing and gets the same answer', async (_, store) => {
    const session = newSession();
    await store.open(session);
    await put(store, session, 1, LAST);
    await store.open(session);
    await put(store, session, 1, LAST);
    const object = await store.complete(session, wholeOf(LAST), never);
    assert.deepEqual(await store.complete(session, wholeOf(LAST), never), object);
    await store.open(session);
    await assert.rejects(put(store, session, 1, LAST), fault('object-complete'));
    const other = store.complete(session, wholeOf(FIRST), never);
    await assert.rejects(other, fault('object-differs'));
    await store.abandon(session);
    assert.deepEqual(await store.stat(session), object);
  });

  promise('other bytes under the number of a part do not slip in', async (_, store) => {
    const session = newSession();
    await put(store, session, 1, LAST);
    const other = Buffer.from(LAST).reverse();
    if (subject().knowsDigests) {
      await assert.rejects(put(store, session, 1, other), fault('part-differs'));
      assert.equal((await store.holding(session)).parts[0]?.sha256, sha256(LAST));
    } else {
      await put(store, session, 1, other);
      await put(store, session, 1, LAST);
    }
    await store.complete(session, wholeOf(LAST), never);
    const found = await store.verify({ object: session, cause: 'slip' }, never);
    assert.equal(found?.sha256, sha256(LAST));
  });

  promise('an upload goes on in another process, from the store alone', async (t, store) => {
    const session = newSession();
    await store.open(session);
    await put(store, session, 1, FIRST);
    const { store: later } = await openIt(t, subject());
    await later.open(session);
    const { parts } = await later.holding(session);
    assert.deepEqual(
      parts.map(({ number, bytes }) => [number, bytes]),
      [[1, FIRST.length]],
    );
    if (subject().knowsDigests) assert.equal(parts[0]?.sha256, sha256(FIRST));
    await put(later, session, 2, LAST);
    await later.complete(session, wholeOf(FIRST, LAST), never);
    assert.equal((await store.stat(session))?.bytes, FIRST.length + LAST.length);
  });

  promise('one upload completed by several at once gives all the same object', async (t, store) => {
    const session = newSession();
    await put(store, session, 1, FIRST);
    await put(store, session, 2, LAST);
    const { store: beside } = await openIt(t, subject());
    const whole = wholeOf(FIRST, LAST);
    const all = [store, beside, store, beside].map((one) => one.complete(session, whole, never));
    const objects = await Promise.all(all);
    assert.equal(new Set(objects.map((one) => JSON.stringify(one))).size, 1);
    const found = await store.verify({ object: session, cause: 'all' }, never);
    assert.equal(found?.sha256, whole.sha256);
  });

  promise('of two workers that make one object the first one makes it', async (t, store) => {
    const [mine, theirs] = [newSession(), newSession()];
    const second = { ...mine, worker: 'k8s-2-0000' as typeof theirs.worker };
    const { store: beside } = await openIt(t, subject());
    const bytes = [LAST, Buffer.from(LAST).reverse()] as const;
    await put(store, mine, 1, bytes[0]);
    await put(beside, second, 1, bytes[1]);
    const ends = await Promise.allSettled([
      store.complete(mine, wholeOf(bytes[0]), never),
      beside.complete(second, wholeOf(bytes[1]), never),
    ]);
    const made = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value.sha256] : []));
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    assert.equal(made.length, 1);
    fault('object-differs')(refused[0]);
    const found = await store.verify({ object: mine, cause: 'two' }, never);
    assert.equal(found?.sha256, made[0]);
    assert.equal((await beside.stat(mine))?.sha256, made[0]);
  });

  promise('an upload that is given up leaves nothing, and can begin anew', async (t, store) => {
    const session = newSession();
    const { store: beside } = await openIt(t, subject());
    await put(store, session, 1, FIRST);
    await beside.abandon(session);
    assert.deepEqual((await store.holding(session)).parts, []);
    await put(store, session, 1, LAST);
    await store.complete(session, wholeOf(LAST), never);
  });

  promise('no more uploads of one acquisition are begun than may be', async (_, store) => {
    const { acquisitionId } = newSession();
    const sessions = Array.from({ length: 64 }, (_, index) =>
      newSession({ acquisitionId, name: `object-${index}` }),
    );
    for (let at = 0; at < sessions.length; at += 16) {
      await Promise.all(sessions.slice(at, at + 16).map((session) => store.open(session)));
    }
    const more = newSession({ acquisitionId, name: 'one-more' });
    await assert.rejects(store.open(more), fault('sessions-exhausted'));
    await store.abandon(sessions[0] ?? more);
    await store.open(more);
  });

  promise('what nobody touched for a day is swept away, and nothing else', async (_, store) => {
    const session = newSession();
    const done = newSession();
    const object = await upload(store, done, LAST);
    await put(store, session, 1, FIRST);
    await store.sweep(Date.now() + SESSION_MS_MAX - 600_000);
    assert.equal((await store.holding(session)).parts.length, 1);
    assert.ok((await store.sweep(Date.now() + SESSION_MS_MAX + 600_000)) >= 1);
    assert.deepEqual(await store.holding(session), { parts: [] });
    assert.deepEqual(await store.stat(done), object);
  });

  promise(
    'an object that is replaced behind our back is not taken for the first',
    async (_, store) => {
      const session = newSession();
      const object = await upload(store, session, LAST);
      const first = await store.verify({ object: session, cause: 'before' }, never);
      await subject().replace(object.key, Buffer.from(LAST).reverse());
      const second = await store.verify({ object: session, cause: 'after' }, never);
      if (subject().keepsVersions) {
        assert.deepEqual(second, first);
        assert.ok(first?.versionId);
        assert.deepEqual(await readAll(store, session, 0, LAST.length), LAST);
      } else {
        assert.notEqual(second?.sha256, first?.sha256);
      }
    },
  );

  promise('who stops waiting for a reading can ask again for the same', async (_, store) => {
    const session = newSession();
    await upload(store, session, LAST);
    const stopped = AbortSignal.abort(new Error('stopped'));
    const again = { object: session, cause: 'again' };
    await assert.rejects(store.verify(again, stopped), /stopped/);
    assert.equal((await store.verify(again, never))?.sha256, sha256(LAST));
  });

  lookingAgain(promise, subject);
  more(subject);
}

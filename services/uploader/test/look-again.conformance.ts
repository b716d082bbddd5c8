// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { EvidenceStore } from '../src/domain/evidence-store.ts';
import { lookAgain, newSession, openIt, recorded, type Subject, upload } from './store-bench.ts';

const BODY = Buffer.from('evidence that somebody looks at again');

/** What every store promises of objects that are looked at again. */
export function lookingAgain(
  promise: (name: string, work: (t: TestContext, store: EvidenceStore) => Promise<void>) => void,
  subject: () => Subject,
): void {
  promise('what is not held as it was is found by looking at it again', async (_, store) => {
    const session = newSession();
    const object = await upload(store, session, BODY);
    const stored = await recorded(store, session, object);
    assert.deepEqual(await lookAgain(store, session, stored), []);
    const longer = { ...stored, bytes: stored.bytes + 1 };
    assert.deepEqual(await lookAgain(store, session, longer), ['object-differs']);
    await subject().replace(object.key, Buffer.from(BODY).reverse());
    const found = await lookAgain(store, session, stored);
    if (subject().keepsVersions) assert.deepEqual(found, ['object-replaced']);
    else assert.equal(found.length, 1);
    const other = newSession();
    assert.deepEqual(await lookAgain(store, other, { ...stored, versionId: undefined }), [
      'object-gone',
    ]);
  });

  promise('a forgery of the same length is found by what the store tells bytes by', async (t) => {
    const { forge } = subject();
    if (forge === undefined) return t.skip('a directory tells by dates and is read');
    const { store } = await openIt(t, subject(), { STORE_URL: forge.at });
    const session = newSession();
    const object = await upload(store, session, BODY);
    const stored = await recorded(store, session, object);
    assert.equal(stored.fingerprint?.split(':')[0], forge.by);
    assert.deepEqual(await lookAgain(store, session, stored), []);
    await forge.put(object, Buffer.from(BODY).reverse());
    assert.deepEqual(await lookAgain(store, session, stored), ['object-differs']);
  });
}

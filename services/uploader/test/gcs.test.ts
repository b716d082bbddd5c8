// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cloudConformance } from './cloud-store.conformance.ts';
import { storeConformance } from './evidence-store.conformance.ts';
import { faultyProxy } from './faulty-proxy.ts';
import { gcsEmulator } from './gcs-emulator.ts';
import { GCS_KEY, GCS_RIGHTS, gcsEnvironment, gcsName, gcsUrl } from './gcs-subject.ts';
import { LIMIT, never, newSession, openIt, sha256, upload } from './store-bench.ts';

const HOUR_MS = 3_600_000;
const NAME = 'Google Cloud Storage (own emulator)';

storeConformance(
  NAME,
  async (scope) => {
    const buckets = { evidence: true, unlocked: false };
    const emulator = await gcsEmulator({ buckets, publicKey: GCS_KEY }, scope);
    const proxy = await faultyProxy(emulator.url, scope);
    return {
      proxy,
      environment: gcsEnvironment('evidence', proxy),
      replace: async (key, bytes) => emulator.replace(gcsName(key), Buffer.from(bytes)),
      forge: {
        at: gcsUrl('evidence', proxy),
        by: 'crc32c',
        // No writer can do this: the store itself would have to.
        put: async ({ key }, bytes) => emulator.rot(gcsName(key), Buffer.from(bytes)),
      },
      remove: async (key) => emulator.remove(gcsName(key)),
      shorten: async (key) =>
        emulator.shorten(gcsName(key), new Date(Date.now() + HOUR_MS).toISOString()),
      nowhere: gcsUrl('nowhere', proxy),
      unlocked: gcsUrl('unlocked', proxy),
      keepsVersions: false,
      knowsDigests: true,
      hashesWhole: false,
    };
  },
  (get) => {
    cloudConformance(NAME, { ...GCS_RIGHTS, verifiesSignatures: true })(get);
    test(`${NAME}: more parts than one request composes are joined in turns`, LIMIT, async (t) => {
      const { store } = await openIt(t, get());
      const session = newSession();
      const parts = Array.from({ length: 70 }, (_, index) => Buffer.from(`part ${index} `));
      const object = await upload(store, session, ...parts);
      const found = await store.verify({ object: session, cause: 'turns' }, never);
      assert.equal(found?.sha256, object.sha256);
      assert.equal(found?.sha256, sha256(Buffer.concat(parts)));
    });
  },
);

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { STORE_RIGHTS } from '@impound/contracts/store-permissions.ts';
import { cloudConformance } from './cloud-store.conformance.ts';
import { storeConformance } from './evidence-store.conformance.ts';
import { faultyProxy } from './faulty-proxy.ts';
import { gcsEmulator } from './gcs-emulator.ts';
import { LIMIT, never, newSession, openIt, sha256, upload } from './store-bench.ts';

const HOUR_MS = 3_600_000;
const NAME = 'Google Cloud Storage (own emulator)';
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const KEY = {
  client_email: 'uploader@project.iam.example',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  project_id: 'project',
};

storeConformance(
  NAME,
  async (scope) => {
    const buckets = { evidence: true, unlocked: false };
    const emulator = await gcsEmulator({ buckets, publicKey }, scope);
    const proxy = await faultyProxy(emulator.url, scope);
    return {
      proxy,
      environment: {
        STORE_URL: `gs://evidence/case?endpoint=${proxy.url}`,
        STORE_KEY: JSON.stringify(KEY),
      },
      replace: async (key, bytes) => emulator.replace(`case/objects/${key}`, Buffer.from(bytes)),
      remove: async (key) => emulator.remove(`case/objects/${key}`),
      shorten: async (key) =>
        emulator.shorten(`case/objects/${key}`, new Date(Date.now() + HOUR_MS).toISOString()),
      nowhere: `gs://nowhere/case?endpoint=${proxy.url}`,
      unlocked: `gs://unlocked/case?endpoint=${proxy.url}`,
      keepsVersions: false,
      knowsDigests: true,
      hashesWhole: false,
    };
  },
  (get) => {
    cloudConformance(NAME, {
      verifiesSignatures: true,
      strangersKey: undefined,
      rights: STORE_RIGHTS.gcs,
      needs: [
        [/^GET \/storage\/v1\/b\/[^/]+\?/, 'storage.buckets.get'],
        [/^GET \/storage\/v1\/b\/[^/]+\/o\?/, 'storage.objects.list'],
        [/^GET /, 'storage.objects.get'],
        [/^DELETE /, 'storage.objects.delete'],
        [/^PATCH /, 'storage.objects.setRetention'],
        [/^(PUT|POST) /, 'storage.objects.create'],
      ],
    })(get);
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

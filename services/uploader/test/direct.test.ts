// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { azuriteServer } from '@impound/bucket/testing/store-servers.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { uploadSession } from '@impound/evidence/upload.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { faultyProxy } from './faulty-proxy.ts';
import { house, sha256 } from './uploader-in-a-house.ts';

const ACCOUNT = { name: 'evidenceaccount', key: randomBytes(64).toString('base64') };
const PARTS = [Buffer.alloc(300_000, 'first '), Buffer.from('second')];
const LIMIT = { timeout: 120_000 };

test(
  'a sender fills a cloud store itself, or through the uploader where it cannot reach it',
  LIMIT,
  async (t) => {
    const scope = new AsyncDisposableStack();
    t.after(() => scope.disposeAsync());
    const server = await azuriteServer(ACCOUNT, scope);
    const credential = new StorageSharedKeyCredential(ACCOUNT.name, ACCOUNT.key);
    const service = new BlobServiceClient(`${server}/${ACCOUNT.name}`, credential);
    await service.getContainerClient('evidence').create();
    const proxy = await faultyProxy(server, scope);
    const it = await house(t, {
      STORE_URL: `azblob://${ACCOUNT.name}/evidence?endpoint=${proxy.url}/${ACCOUNT.name}`,
      STORE_KEY: ACCOUNT.key,
    });
    const isDirect = (asked: string) => asked.startsWith('PUT') && /[?&]sig(&|$)/.test(asked);
    async function send(name: string) {
      proxy.seen.length = 0;
      const options = { name, url: await it.open({ name }), backoffMs: 1, retryMsMax: 10_000 };
      const object = await uploadSession(options, t.signal);
      for (const part of PARTS) await object.part(part, sha256(part));
      const all = Buffer.concat(PARTS);
      const stored = await object.complete({ bytes: all.length, sha256Hex: sha256(all) });
      return { stored, direct: proxy.seen.filter(isDirect).length };
    }
    const { stored, direct } = await send('manifest.jsonl');
    assert.equal(direct, PARTS.length);
    // Whoever has a signed URL cannot get through; the uploader, which signs each request, can.
    proxy.fate = (asked) => (isDirect(asked) ? { status: 403 } : undefined);
    const beside = await send('evidence.tar.zst');
    assert.deepEqual({ ...beside.stored, name: '', key: '' }, { ...stored, name: '', key: '' });
    const objects = [stored, beside.stored].map(({ name, key, bytes, sha256: digest }) => {
      return { name, key, bytes, sha256: digest };
    });
    await it.record(EvidenceCapturedV1 as never, { ...EvidenceCapturedV1.example, objects });
    const said = await until(() => it.ledger.chain(it.acquisitionId)[3 + 1]);
    assert.equal(said.event.type, 'evidence.stored.v1');
    for (const one of said.event.data['objects'] as { store: string; retention: object }[]) {
      assert.equal(one.store, 'azure-blob');
      assert.deepEqual(one.retention, { mode: 'none' });
    }
  },
);

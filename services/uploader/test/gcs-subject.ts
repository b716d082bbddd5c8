// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { STORE_RIGHTS } from '@impound/contracts/store-permissions.ts';
import type { FaultyProxy } from './faulty-proxy.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const KEY = {
  client_email: 'uploader@project.iam.example',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  project_id: 'project',
};

/** What a server of Google Cloud Storage compares signatures with. */
export const GCS_KEY = publicKey;

/** STORE_URL of a bucket behind a proxy. */
export function gcsUrl(bucket: string, { url }: FaultyProxy): string {
  return `gs://${bucket}/case?endpoint=${url}`;
}

/** Keys of storeConfig for a bucket behind a proxy. */
export function gcsEnvironment(bucket: string, proxy: FaultyProxy) {
  return { STORE_URL: gcsUrl(bucket, proxy), STORE_KEY: JSON.stringify(KEY) };
}

/** Where an object lies in the bucket. */
export function gcsName(key: string): string {
  return `case/objects/${key}`;
}

/** The rights of deploy/iam, and which of them a request needs. */
export const GCS_RIGHTS = {
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
} as const;

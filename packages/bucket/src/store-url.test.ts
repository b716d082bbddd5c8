// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStoreUrl } from './store-url.ts';

const ENDPOINT = 'http://127.0.0.1:9000';
const READ = [
  ['file:///var/lib/evidence', { kind: 'file', directory: '/var/lib/evidence' }],
  ['file:///with%20blank', { kind: 'file', directory: '/with blank' }],
  ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '', region: undefined }],
  [
    `s3://bucket/a/b/?region=eu-central-1&endpoint=${ENDPOINT}/`,
    { kind: 's3', bucket: 'bucket', prefix: 'a/b/', region: 'eu-central-1', endpoint: ENDPOINT },
  ],
  ['gs://bucket/case', { kind: 'gcs', bucket: 'bucket', prefix: 'case/' }],
  [
    'azblob://account/container/case',
    {
      ...{ kind: 'azure-blob', account: 'account', container: 'container', prefix: 'case/' },
      endpoint: 'https://account.blob.core.windows.net',
    },
  ],
] as const;

for (const [text, place] of READ) {
  test(`${text} is read`, () => {
    const read = readStoreUrl(text);
    assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(place)));
  });
}

const REFUSED = {
  '/var/lib/evidence': /^file:\/\/\/directory, s3:/,
  'ftp://host/x': /^file:\/\/\/directory, s3:/,
  'file:///': /absolute directory/,
  'file://host/x': /absolute directory/,
  's3://': /^file:\/\/\/directory, s3:/,
  's3://UPPER_case': /^file:\/\/\/directory, s3:/,
  's3://key:secret@bucket': /credentials go into STORE_KEY/,
  's3://bucket?endpoint=http://u:p@host': /without credentials/,
  's3://bucket?acl=public': /s3: takes region and endpoint, nothing else/,
  's3://bucket/%2e%2e%2fx': /a prefix has/,
  'azblob://account': /^file:\/\/\/directory, s3:/,
};

for (const [text, reason] of Object.entries(REFUSED)) {
  test(`${text} is refused, and told how it should be`, () => {
    assert.match(String(readStoreUrl(text)), reason);
    assert.equal(typeof readStoreUrl(text), 'string');
  });
}

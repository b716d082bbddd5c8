// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import { formatSession, keyOf, readKey, readSession, SessionName } from './object-name.ts';

const session = SessionName.parse(UploaderOpenV1.example.request);

test('a session and a key are read as they were written', () => {
  assert.deepEqual(readSession(formatSession(session)), session);
  const { worker: _, ...object } = session;
  assert.deepEqual(readKey(keyOf(session)), object);
});

const acquisition = session.acquisitionId;
const REFUSED = [
  '',
  '/',
  '../../etc/passwd',
  `default/${acquisition}/e1`,
  `default/${acquisition}/e1/`,
  `default/${acquisition}/e1/..`,
  `default/${acquisition}/e1/.hidden`,
  `default/${acquisition}/../manifest.jsonl`,
  `../${acquisition}/e1/manifest.jsonl`,
  `default/../e1/manifest.jsonl`,
  `default/${acquisition}/e1/a/b`,
  `default/${acquisition}/e0/manifest.jsonl`,
  `default/${acquisition}/e1/a\0b`,
  `default/${acquisition}/e1/a\\..\\b`,
  `default/${acquisition}/e1/${'a'.repeat(65)}`,
  `/default/${acquisition}/e1/manifest.jsonl`,
];

for (const key of REFUSED) {
  test(`${JSON.stringify(key)} is no key`, () => assert.equal(readKey(key), undefined));
}

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog } from './log.ts';
import { redacted } from './redact.ts';
import { Secret } from './secret.ts';

const HIDDEN = '[redacted]';
const KEY = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC';

const SHAPES: readonly (readonly [string, string, string])[] = [
  ['a signed URL', 'GET http://up/v1/x?exp=17&sig=hunter2 gave 403', 'hunter2'],
  ['a presigned URL', 'https://s3/b/k?X-Amz-Credential=AK/x&X-Amz-Signature=hunter2', 'hunter2'],
  ['a SAS', 'https://a.blob/c?sv=1&sig=hunter2%3D&se=2', 'hunter2'],
  ['a bearer token', 'sent Authorization: Bearer hunter2-hunter2', 'hunter2'],
  ['a password in a URL', 'connect postgres://writer:hunter2@db:5432/ledger', 'hunter2'],
  ['a user seed', `seed ${'SUA'}${'B2'.repeat(27)}A`, 'B2B2B2'],
  ['a webhook secret', 'key whsec_aHVudGVyMmh1bnRlcjI= is short', 'aHVudGVy'],
  ['a private key', `-----BEGIN PRIVATE KEY-----\n${KEY}\n-----END PRIVATE KEY-----`, KEY],
  ['a private key that is cut', `-----BEGIN EC PRIVATE KEY-----\n${KEY}`, KEY],
  ['a web token', 'token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2ln', 'eyJzdWIi'],
];

for (const [what, text, secret] of SHAPES) {
  test(`the log hides ${what}`, () => {
    const left = String(redacted(text));
    assert.ok(text.includes(secret));
    assert.ok(!left.includes(secret), left);
    assert.match(left, /\[redacted\]/);
  });
}

test('the log hides what is named like a secret, however deep', () => {
  const fields = { at: { headers: [{ Authorization: 'x', accept: 'y' }] }, password: 'z', n: 1 };
  assert.deepEqual(redacted(fields), {
    at: { headers: [{ Authorization: HIDDEN, accept: 'y' }] },
    password: HIDDEN,
    n: 1,
  });
});

test('what is no secret stays as it is', () => {
  const fields = {
    because: 'pods/exec is not granted in namespace shop: GET https://10.0.0.1/api?limit=500',
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    url: 'http://127.0.0.1:8080',
    nothing: undefined,
    none: null,
  };
  assert.deepEqual(redacted(fields), fields);
});

test('an object that refers to itself ends somewhere', () => {
  const loop: Record<string, unknown> = {};
  loop['loop'] = loop;
  assert.match(JSON.stringify(redacted(loop)), /\[redacted\]/);
});

test('openLog redacts every field of every line', () => {
  const lines: string[] = [];
  const log = openLog('one', 'info', { write: (line) => void lines.push(line) });
  log.info('done', { because: 'Bearer hunter2-hunter2', key: new Secret('hunter2') });
  log.warn('failed', { error: new Error('no entry at nats://u:hunter2@bus') });
  assert.equal(lines.join('').includes('hunter2'), false);
  assert.equal(lines.length, 2);
});

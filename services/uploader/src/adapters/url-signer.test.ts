// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { readKey, SessionName } from '../domain/object-name.ts';
import { urlSigner } from './url-signer.ts';

let nowMs = 1_000_000;
const base = () => 'https://store.example/impound';
const urls = urlSigner({ key: new Secret('k'.repeat(32)), base, now: () => nowMs });
const other = urlSigner({ key: new Secret('o'.repeat(32)), base, now: () => nowMs });
const session = SessionName.parse(UploaderOpenV1.example.request);

function partsOf(url: string) {
  const { pathname, searchParams } = new URL(url);
  const query = { exp: searchParams.get('exp') ?? '', sig: searchParams.get('sig') ?? '' };
  return { opaque: pathname.split('/').at(-1) ?? '', query };
}

test('a signed URL is good for its upload until it expires', () => {
  const { opaque, query } = partsOf(urls.upload(session, nowMs + 5_000));
  assert.deepEqual(urls.readUpload(opaque, query), session);
  nowMs += 5_000;
  assert.equal(urls.readUpload(opaque, query), undefined);
});

test('a URL that reads an object does not write one, and the other way round', () => {
  const object = readKey('default/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01/e1/manifest.jsonl');
  assert.ok(object);
  const read = partsOf(urls.read(object, nowMs + 5_000));
  assert.deepEqual(urls.readObject(read.opaque, read.query), object);
  assert.equal(urls.readUpload(read.opaque, read.query), undefined);
  const upload = partsOf(urls.upload(session, nowMs + 5_000));
  assert.equal(urls.readObject(upload.opaque, upload.query), undefined);
});

const { opaque, query } = partsOf(urls.upload(session, 10_000_000));
const another = partsOf(urls.upload({ ...session, name: 'evidence.tar.zst' }, 10_000_000));
const FORGED = {
  'no signature': [opaque, { ...query, sig: undefined }],
  'an empty signature': [opaque, { ...query, sig: '' }],
  'half a signature': [opaque, { ...query, sig: query.sig.slice(0, 20) }],
  'a signature with something behind it': [opaque, { ...query, sig: `${query.sig}AAAA` }],
  'an endless signature': [opaque, { ...query, sig: 'A'.repeat(100_000) }],
  'a later expiry': [opaque, { ...query, exp: '99999999999' }],
  'an expiry that is no number': [opaque, { ...query, exp: '1e9' }],
  'no expiry': [opaque, { ...query, exp: undefined }],
  'the signature of another object': [another.opaque, query],
  'a name that is no name': [Buffer.from('../../etc/passwd').toString('base64url'), query],
  'the key of another house': partsOf(other.upload(session, 10_000_000)),
} as const;

for (const [name, forged] of Object.entries(FORGED)) {
  test(`a URL with ${name} is good for nothing`, () => {
    const [text, signed] = 'opaque' in forged ? [forged.opaque, forged.query] : forged;
    assert.equal(urls.readUpload(text, signed), undefined);
  });
}

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProofFault } from './proof-fault.ts';
import {
  formatVkey,
  isKeyName,
  KEY_TYPES,
  parseVkey,
  publicKey,
  rawPublicKey,
  vkey,
} from './vkey.ts';

const EXAMPLE = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';

test('the verifier key of C2SP signed-note is read, and written as it was', () => {
  const key = parseVkey(EXAMPLE);
  assert.equal(key.name, 'example.com/foo');
  assert.equal(key.type, KEY_TYPES.note);
  assert.equal(key.id.toString('hex'), '530d903a');
  assert.equal(formatVkey(key), EXAMPLE);
});

test('one key has another id under another name and for another kind of signature', () => {
  const { key } = parseVkey(EXAMPLE);
  const ids = [
    vkey('example.com/foo', KEY_TYPES.note, key),
    vkey('example.com/bar', KEY_TYPES.note, key),
    vkey('example.com/foo', KEY_TYPES.cosignature, key),
  ].map(({ id }) => id.toString('hex'));
  assert.equal(new Set(ids).size, 3);
});

test('what is written is read again', () => {
  const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter(isKeyName);
  const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const types = fc.constantFrom(...Object.values(KEY_TYPES));
  fc.assert(
    fc.property(names, types, keys, (name, type, key) => {
      assert.deepEqual(parseVkey(formatVkey(vkey(name, type, key))), vkey(name, type, key));
    }),
    { numRuns: 30 },
  );
});

test('the raw bytes of a key are those that node:crypto has', () => {
  const pair = generateKeyPairSync('ed25519');
  const raw = rawPublicKey(pair.privateKey);
  assert.deepEqual(raw, rawPublicKey(pair.publicKey));
  assert.ok(publicKey(raw).equals(pair.publicKey));
  const { publicKey: other } = generateKeyPairSync('x25519');
  assert.throws(() => rawPublicKey(other), ProofFault);
});

const MALFORMED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['a name alone', 'example.com/foo'],
  ['no key', 'example.com/foo+530d903a'],
  ['an empty name', EXAMPLE.replace('example.com/foo', '')],
  ['a space in its name', EXAMPLE.replace('.com', ' com')],
  ['the id of another name', EXAMPLE.replace('foo', 'bar')],
  ['another id', EXAMPLE.replace('530d903a', '530d903b')],
  ['an id in capitals', EXAMPLE.replace('530d903a', '530D903A')],
  ['a key that is too short', EXAMPLE.replace('3U2k', '')],
  ['a key of another kind', EXAMPLE.replace('+Aek', '+Bek')],
  ['a newline', `${EXAMPLE}\n`],
  ['too many characters', `${'a'.repeat(3_000)}${EXAMPLE}`],
];
for (const [what, text] of MALFORMED) {
  test(`a verifier key with ${what} is refused`, () => {
    const isMalformed = (error: unknown) =>
      error instanceof ProofFault && error.code === 'key-malformed';
    assert.throws(() => parseVkey(text), isMalformed);
  });
}

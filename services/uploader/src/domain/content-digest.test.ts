// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDigest, readDigest } from './content-digest.ts';

// RFC 9530, appendix B.1: the digest of {"hello": "world"} and a newline.
const HEADER = 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:';
const HEX = '44aff4ab2d7c3250525675a08f0cfa9591168cffe51791c5f5bbc417c15a6c38';

test('the example of RFC 9530 is read and written', () => {
  assert.equal(readDigest(HEADER), HEX);
  assert.equal(formatDigest(HEX), HEADER);
});

test('another algorithm beside SHA-256 is left alone', () => {
  assert.equal(readDigest(`sha-512=:YWJj:, ${HEADER}`), HEX);
});

const REFUSED = {
  'no header': undefined,
  'another algorithm': 'md5=:YWJj:',
  'two SHA-256': `${HEADER}, ${HEADER}`,
  'a digest that is too short': 'sha-256=:YWJj:',
  'hex instead of base64': `sha-256=${HEX}`,
  'spare bits that are not zero': HEADER.replace('bDg=', 'bDh='),
  'an endless header': HEADER.padEnd(2_000, ' '),
};

for (const [name, header] of Object.entries(REFUSED)) {
  test(`${name} is no digest`, () => assert.equal(readDigest(header), undefined));
}

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bagInfo } from './bag-text.ts';
import { checksumLine } from './checksum-list.ts';

const PAYLOAD = { bytes: 10, files: 2 };

test('no value of bag-info can begin a line of its own', () => {
  const info = { 'Contact-Name': 'Eve\r\nPayload-Oxum: 0.0\u2028x', 'External-Identifier': ' a ' };
  assert.deepEqual(bagInfo(info, PAYLOAD).split('\n'), [
    'Contact-Name: Eve Payload-Oxum: 0.0 x',
    'External-Identifier: a',
    'Payload-Oxum: 10.2',
    'Bag-Software-Agent: impound',
    '',
  ]);
});

for (const label of ['Payload-Oxum', 'a: b', 'a\nb', '', 'ä']) {
  test(`${JSON.stringify(label)} is no label for bag-info`, () => {
    assert.throws(() => bagInfo({ [label]: 'x' }, PAYLOAD), { code: 'bag-refused' });
  });
}

const DIGEST = 'a'.repeat(64);
const LINES = [
  ['files/a b', `${DIGEST}  files/a b\n`],
  ['files/a\nb', `\\${DIGEST}  files/a\\nb\n`],
  ['files/a\\n', `\\${DIGEST}  files/a\\\\n\n`],
  ['files/a\r', `\\${DIGEST}  files/a\\r\n`],
  ['files/ü', `${DIGEST}  files/ü\n`],
] as const;

for (const [name, line] of LINES) {
  test(`${JSON.stringify(name)} is one line of a checksum list`, () => {
    assert.equal(checksumLine(DIGEST, Buffer.from(name)).toString(), line);
  });
}

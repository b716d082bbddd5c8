// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable, tarPathOf } from './path-bytes.ts';

const NAMES = [
  ['files', '/', 'files'],
  ['files', '/etc/passwd', 'files/etc/passwd'],
  ['files', '/-rf', 'files/-rf'],
  ['files', '/..hidden', 'files/..hidden'],
  ['files', '/a\nb\\c', 'files/a\nb\\c'],
  ['volatile', 'processes/1/status', 'volatile/processes/1/status'],
  ['context', 'pod.json', 'context/pod.json'],
] as const;

for (const [area, path, name] of NAMES) {
  test(`${JSON.stringify(path)} of ${area} is ${JSON.stringify(name)} in the tar`, () => {
    assert.equal(tarPathOf(area, Buffer.from(path)).toString(), name);
  });
}

test('a name that no tar can extract becomes the digest of the name it would have', () => {
  for (const path of [`/${'y/'.repeat(2_046)}z`, `/${'c'.repeat(256)}`]) {
    assert.match(tarPathOf('files', Buffer.from(path)).toString(), /^long\/[0-9a-f]{64}$/);
  }
  const kept = `/${'c'.repeat(255)}`;
  assert.equal(tarPathOf('files', Buffer.from(kept)).toString(), `files${kept}`);
});

test('a hostile name is shown as printable ASCII', () => {
  const shown = printable(Buffer.from('a\u001b[31m\u202e\\\n'));
  assert.equal(shown, 'a\\x1b[31m\\xe2\\x80\\xae\\x5c\\x0a');
  assert.equal(printable(Buffer.from('abcdef'), 3), 'abc…');
});

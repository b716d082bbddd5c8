// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, worstOf } from './exit-code.ts';
import { HELP } from './help.ts';

const WORST: readonly (readonly [readonly number[], number])[] = [
  [[], EXIT.ok],
  [[EXIT.ok, EXIT.ok], EXIT.ok],
  [[EXIT.ok, EXIT.partial], EXIT.partial],
  [[EXIT.failed, EXIT.ok], EXIT.failed],
  [[EXIT.partial, EXIT.stopped, EXIT.ok], EXIT.stopped],
  [[EXIT.stopped, EXIT.failed, EXIT.partial], EXIT.failed],
];
for (const [codes, worst] of WORST) {
  test(`acquisitions that end with ${codes.join(', ') || 'nothing'} end with ${worst}`, () => {
    assert.equal(worstOf(codes), worst);
  });
}

test('the help names every exit code', () => {
  for (const code of Object.values(EXIT)) assert.match(HELP, new RegExp(`^ .*\\b${code}  `, 'm'));
});

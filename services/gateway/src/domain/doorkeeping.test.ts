// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepts } from './accept.ts';
import { rateOf } from './rate.ts';

const ACCEPTED = [
  [undefined, true],
  ['', true],
  ['*/*', true],
  ['application/*', true],
  ['text/html, application/json;q=0.1', true],
  ['APPLICATION/JSON', true],
  ['text/html', false],
  ['application/json;q=0, */*', false],
  ['application/jsonl', false],
  ['x'.repeat(10_000), false],
] as const;

for (const [header, expected] of ACCEPTED) {
  test(`Accept: ${header?.slice(0, 40)} ${expected ? 'takes' : 'does not take'} JSON`, () => {
    assert.equal(accepts(header, 'application/json'), expected);
  });
}

test('a caller has a burst, then as much as comes back with time; others have their own', () => {
  const rate = rateOf();
  const limit = { burst: 2, perSecond: 10 };
  assert.deepEqual(
    [0, 0, 0, 50].map((ms) => rate.take('one', limit, ms)),
    [true, true, false, false],
  );
  assert.equal(rate.take('other', limit, 50), true);
  assert.deepEqual(
    [150, 150].map((ms) => rate.take('one', limit, ms)),
    [true, false],
  );
  assert.deepEqual(
    [9_000, 9_000, 9_000].map((ms) => rate.take('one', limit, ms)),
    [true, true, false],
  );
});

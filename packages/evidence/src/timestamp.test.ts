// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimalSeconds, nanosecondsOf, rfc3339 } from './timestamp.ts';

const TIMES = [
  [0, '0', '1970-01-01T00:00:00Z'],
  ['1700000000.123456789', '1700000000.123456789', '2023-11-14T22:13:20.123456789Z'],
  ['1700000000.1234567899', '1700000000.123456789', '2023-11-14T22:13:20.123456789Z'],
  ['1700000000.500', '1700000000.5', '2023-11-14T22:13:20.5Z'],
  ['-1', '-1', '1969-12-31T23:59:59Z'],
  ['-0.25', '-0.25', '1969-12-31T23:59:59.75Z'],
  ['-62167219200', '-62167219200', '0000-01-01T00:00:00Z'],
  ['253402300799', '253402300799', '9999-12-31T23:59:59Z'],
  ['253402300800', '253402300800', '@253402300800'],
  ['9223372036854775807.5', '9223372036854775807.5', '@9223372036854775807.5'],
] as const;

for (const [given, decimal, text] of TIMES) {
  test(`${given} seconds are ${text}`, () => {
    assert.equal(decimalSeconds(nanosecondsOf(given)), decimal);
    assert.equal(rfc3339(nanosecondsOf(given)), text);
  });
}

for (const wrong of ['', '1e9', 'now', '1.', '.5', '0x10', Number.NaN, 1.5e300]) {
  test(`${JSON.stringify(wrong)} is no time`, () => {
    assert.throws(() => nanosecondsOf(wrong), { code: 'time-refused' });
  });
}

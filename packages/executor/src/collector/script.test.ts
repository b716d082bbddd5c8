// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COLLECTOR, collectorScript, PATHS_MAX } from './script.ts';

test('parameters stand in front as quoted assignments, the script is the same every time', () => {
  const plain = collectorScript({ profile: 'volatile' }).toString('latin1');
  const hostile = collectorScript({ profile: 'triage', paths: ["/a'; rm -rf /\n"] });
  const text = hostile.toString('latin1');
  assert.ok(text.includes("ITEMS=''\\''/a'\\''\\'\\'''\\''; rm -rf /\n'\\'' '\n"));
  assert.equal(plain.slice(plain.indexOf('#!/bin/sh')), text.slice(text.indexOf('#!/bin/sh')));
  assert.match(text, /^PROFILE='triage'\nROOT=''\n/);
  assert.match(text, /\nmain; exit \$\?\n$/);
  assert.match(COLLECTOR.sha256, /^[0-9a-f]{64}$/);
});

for (const [what, parameters] of [
  ['a path that is not absolute', { paths: ['etc/passwd'] }],
  ['a path with a NUL', { paths: ['/a\0'] }],
  ['a path longer than any kernel takes', { paths: [`/${'a'.repeat(5_000)}`] }],
  ['too many paths', { paths: Array.from({ length: PATHS_MAX + 1 }, () => '/a') }],
  ['a root that is not absolute', { root: 'root' }],
  ['a limit that is no number', { bytesMax: Number.NaN }],
  ['a limit below zero', { secondsMax: -1 }],
] as const) {
  test(`${what} is refused before anything is sent`, () => {
    assert.throws(() => collectorScript({ profile: 'volatile', ...parameters }), RangeError);
  });
}

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CHANGES } from './next.ts';

for (const [file, found] of CHANGES) {
  test(`the next version finds in ${file} what it changes: ${found}`, () => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    assert.equal(text.split(found).length - 1, 1);
  });
}

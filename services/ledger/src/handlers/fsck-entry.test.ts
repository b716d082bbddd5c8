// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIGSUM_LEAF_BYTES } from '@impound/transparency/sigsum.ts';
import { checkingLeaves } from './fsck-entry.ts';
import { openFindings } from './fsck-findings.ts';
import { checkingHeads } from './fsck-heads.ts';
import { readingOwn } from './fsck-own.ts';

test('a leaf of sigsum is one whatever its checksum begins with, also with an opening brace', () => {
  const findings = openFindings();
  checkingLeaves(findings, { own: readingOwn(), heads: checkingHeads(findings) }).look({
    idx: 1,
    entry: Buffer.alloc(SIGSUM_LEAF_BYTES, '{'),
  });
  const [{ class: kind, what } = {}] = findings.all();
  assert.deepEqual([kind, what], ['chain', 'it vouches for a seal, and no seal stands before it']);
});

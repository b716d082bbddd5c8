// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MIB = 1_024 * 1_024;
const GROWTH_BYTES_MAX = 150 * MIB;
const CHILD = fileURLToPath(new URL('./memory-child.ts', import.meta.url));

test('writing and verifying 300 MiB takes less than 150 MiB of memory', async () => {
  const { stdout } = await run(process.execPath, [CHILD], { timeout: 280_000 });
  const { content, stored, writing, verifying, ok } = JSON.parse(stdout);
  assert.equal(ok, true);
  assert.equal(content, 300 * MIB);
  assert.ok(stored > 290 * MIB, `only ${stored} bytes were stored`);
  assert.ok(writing < GROWTH_BYTES_MAX, `writing took ${writing / MIB} MiB`);
  assert.ok(verifying < GROWTH_BYTES_MAX, `verifying took ${verifying / MIB} MiB`);
});

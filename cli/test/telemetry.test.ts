// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openReceiver } from '@impound/telemetry/testing/receiver.ts';
import { begin } from './command-line.ts';

const TEST_MS_MAX = 240_000;
const LOOK_MS = 50;

test('impound up sends what each of its services sees, where a variable names a receiver', {
  timeout: TEST_MS_MAX,
}, async (t) => {
  await using receiver = await openReceiver();
  const folder = await mkdtemp(join(tmpdir(), 'impound-telemetry-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const environment = receiver.environment as Record<string, string>;
  const platform = begin(['up', '--data', join(folder, 'data')], environment);
  t.after(() => platform.kill('SIGKILL'));
  await platform.says(/impound is up/);
  const seen = () => new Set(receiver.points.map(({ service }) => service));
  const wanted = [
    'impound',
    'impound-coordinator',
    'impound-executor-kubernetes',
    'impound-ledger',
  ];
  // Ends with the test's own limit where they never come.
  while (!wanted.every((name) => seen().has(name))) await delay(LOOK_MS);
  while (receiver.latest('impound.ledger.writing') !== 1) await delay(LOOK_MS);
  const executing = { state: 'executing' };
  while (receiver.latest('impound.acquisition.open', executing) !== 0) await delay(LOOK_MS);
  platform.kill('SIGINT');
  const { code } = await platform.end;
  assert.equal(code, 0);
});

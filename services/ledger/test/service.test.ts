// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { requested, until, world } from './world.ts';

test('a chain is begun, told and asked for', async (t) => {
  const it = await world(t);
  await it.start();
  const acq = newId();
  const reply = await it.say(AcquisitionRequestedV1, acq, requested);
  assert.ok(reply.ok);
  assert.equal(reply.seq, 0);
  await until(t, () => it.heard.length === 1);
});

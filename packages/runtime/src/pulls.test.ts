// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { newPulls } from './pulls.ts';

/** A status of a pull, as nats-server sends it. */
function status(code: number, description: string, left?: number): MsgHdrs {
  const told = headers(code, description);
  if (left !== undefined) told.set('Nats-Pending-Messages', String(left));
  return told;
}

function world(slots: number) {
  const batches: number[] = [];
  const lost: unknown[] = [];
  const it = { busy: 0, batches, lost };
  const pulls = newPulls({
    slots,
    busy: () => it.busy,
    send: (text) => batches.push(JSON.parse(text).batch),
    lost: (trouble) => lost.push(trouble),
  });
  return Object.assign(it, { pulls });
}

test('one pull serves all free slots, and another is made where half of them are owed', () => {
  const it = world(4);
  it.pulls.more();
  it.pulls.more();
  assert.deepEqual(it.batches, [4]);
  for (const work of [1, 2]) {
    it.busy = work;
    it.pulls.came();
  }
  assert.deepEqual(it.batches, [4], 'two are owed and two at work');
  it.busy = 0;
  it.pulls.more();
  assert.deepEqual(it.batches, [4, 2]);
});

test('never is more owed than slots are free, whatever the bus sends', () => {
  const it = world(1);
  it.pulls.more();
  it.busy = 1;
  it.pulls.came();
  it.pulls.came();
  assert.deepEqual(it.batches, [1]);
});

test('a pull whose time is over is made again for what it has not brought', async () => {
  const it = world(4);
  it.pulls.more();
  it.pulls.told(status(408, 'Request Timeout', 4));
  await Promise.resolve();
  assert.deepEqual(it.batches, [4, 4]);
});

test('a pull that the bus ends before its time is told', () => {
  const it = world(4);
  it.pulls.more();
  assert.throws(() => it.pulls.told(status(409, 'Consumer Deleted')), /409 Consumer Deleted/);
  assert.throws(() => it.pulls.told(status(503, 'No Responders')), /503/);
});

test('pulls of which nothing is heard for three heartbeats are lost; heard of, they are not', () => {
  const it = world(2);
  it.pulls.more();
  for (let beat = 0; beat < 6; beat++) {
    it.pulls.listen();
    it.pulls.told(status(100, 'Idle Heartbeat'));
  }
  assert.deepEqual(it.lost, []);
  for (let beat = 0; beat < 3; beat++) it.pulls.listen();
  assert.equal(it.lost.length, 1);
});

test('where nothing is owed, all slots at work, silence is no loss', () => {
  const it = world(1);
  it.pulls.more();
  it.busy = 1;
  it.pulls.came();
  for (let beat = 0; beat < 9; beat++) it.pulls.listen();
  assert.deepEqual(it.lost, []);
});

test('no pull is made after the end', () => {
  const it = world(2);
  it.pulls.end();
  it.pulls.more();
  assert.deepEqual(it.batches, []);
});

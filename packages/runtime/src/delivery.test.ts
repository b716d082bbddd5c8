// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { type Delivery, deliveryOf } from './delivery.ts';

const REPLY = '$JS.ACK.IMPOUND.hearer.3.7.9.1795898091348465485.0';
const NOBODY = {} as NatsConnection;

function handedOut(reply: string | undefined, told: unknown[] = []): Delivery {
  const respond = (word: unknown) => told.push(word);
  return deliveryOf({ reply, respond, data: new Uint8Array() } as unknown as Msg, NOBODY);
}

const COUNTED = [
  ['of servers until now', REPLY],
  ['of a domain', '$JS.ACK.hub.ABCDEF.IMPOUND.hearer.3.7.9.1795898091348465485.0'],
  ['of no domain', '$JS.ACK._.ABCDEF.IMPOUND.hearer.3.7.9.1795898091348465485.0.RANDOM'],
];
for (const [what, reply] of COUNTED) {
  test(`how often a message was handed out stands in an acknowledgement ${what}`, () => {
    assert.equal(handedOut(reply).deliveryCount, 3);
  });
}

for (const reply of [undefined, '', '_INBOX.1', '$JS.ACK.IMPOUND.hearer.x.7.9.1.0', '$JS.ACK.3']) {
  test(`what answers to ${reply} was handed out by no consumer`, () => {
    assert.throws(() => handedOut(reply), /no consumer/);
  });
}

test('a message is settled once, and nothing is told of it afterwards', () => {
  const told: unknown[] = [];
  const raw = handedOut(REPLY, told);
  raw.working();
  raw.ack();
  raw.nak();
  raw.term();
  raw.working();
  assert.deepEqual(told, ['+WPI', '+ACK']);
});

test('what is to come again later says when, in nanoseconds', () => {
  const told: unknown[] = [];
  handedOut(REPLY, told).nak(250);
  handedOut(REPLY, told).nak();
  assert.deepEqual(told, ['-NAK {"delay":250000000}', '-NAK']);
});

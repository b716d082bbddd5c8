// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACK_WAIT_MS, consumerPlan, DELIVERIES_MAX, STREAM } from '@impound/contracts/streams.ts';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { layStream } from '../src/relay.ts';
import { testBus } from '../src/testing/bus.ts';

const NANOSECONDS = 1_000_000;

test('a consumer that an earlier release has laid gets the limits of this one, and keeps its place', async (t) => {
  const bus = await testBus(t);
  const connection = await connect({ servers: bus.url });
  t.after(() => connection.close());
  const plan = consumerPlan('coordinator', 'target.resolved.v1', '*');
  await layStream({ connection }, [plan]);
  const { consumers } = await jetstreamManager(connection);
  const earlier = { ack_wait: 2 * ACK_WAIT_MS * NANOSECONDS, max_deliver: 3 };
  const { created } = await consumers.update(STREAM.name, plan.durable, earlier);
  await layStream({ connection }, [plan]);
  const after = await consumers.info(STREAM.name, plan.durable);
  assert.equal(after.config.ack_wait, ACK_WAIT_MS * NANOSECONDS);
  assert.equal(after.config.max_deliver, DELIVERIES_MAX);
  assert.equal(after.created, created);
});

// SPDX-License-Identifier: Apache-2.0
import type { NatsConnection } from '@nats-io/transport-node';

/** Those who wait for an answer, by the connection it would come over. */
const waiting = new WeakMap<NatsConnection, Set<() => void>>();

/**
 * An answer, given up (Error) when the bus comes back from an outage: the client drops what was
 * sent meanwhile, and who answers may have answered nobody. Waiting out the time would be in vain.
 */
export async function unlessOutage<T>(connection: NatsConnection, answer: Promise<T>): Promise<T> {
  const { promise: outage, reject } = Promise.withResolvers<never>();
  using _waiting = afterOutage(connection, reject);
  return await Promise.race([answer, outage]);
}

/** Tells when the bus has come back from an outage, until it is disposed. */
export function afterOutage(connection: NatsConnection, tell: (outage: Error) => void): Disposable {
  const back = () => tell(new Error('the bus was away'));
  const others = waitingFor(connection);
  others.add(back);
  return { [Symbol.dispose]: () => void others.delete(back) };
}

function waitingFor(connection: NatsConnection): Set<() => void> {
  const known = waiting.get(connection);
  if (known !== undefined) return known;
  const begun = new Set<() => void>();
  waiting.set(connection, begun);
  void watch(connection, begun);
  return begun;
}

async function watch(connection: NatsConnection, those: Set<() => void>): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type === 'reconnect') for (const back of [...those]) back();
  }
}

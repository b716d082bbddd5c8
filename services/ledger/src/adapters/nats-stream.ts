// SPDX-License-Identifier: Apache-2.0
import { consumerPlans } from '@impound/contracts/streams.ts';
import { layStream, tell } from '@impound/runtime/relay.ts';
import type { House } from '@impound/runtime/service.ts';
import type { Stream } from '../handlers/relay.ts';

/** The one stream of the house on JetStream. */
export function natsStream(house: House): Stream {
  const plans = consumerPlans();
  return { lay: () => layStream(house, plans), tell: (telling) => tell(house, telling) };
}

/** Lets those who watch know that the bus was away and is here again. */
export function busReturns(house: House): (returned: () => void, signal: AbortSignal) => void {
  const waiting = new Set<() => void>();
  void (async () => {
    for await (const status of house.connection.status()) {
      if (status.type === 'reconnect') for (const returned of waiting) returned();
    }
  })();
  return (returned, signal) => {
    waiting.add(returned);
    signal.addEventListener('abort', () => waiting.delete(returned), { once: true });
  };
}

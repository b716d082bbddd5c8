// SPDX-License-Identifier: Apache-2.0
import { consumerPlans } from '@impound/contracts/streams.ts';
import { busVerdict } from '@impound/runtime/bus-verdict.ts';
import {
  type ConsumerState,
  consumerStates,
  layStream,
  lookWaiting,
  tell,
} from '@impound/runtime/relay.ts';
import type { House } from '@impound/runtime/service.ts';
import type { Stream } from '../handlers/relay.ts';

/** The one stream of the house on JetStream. */
export function natsStream(house: House): Stream {
  const plans = consumerPlans();
  return {
    lay: () => layStream(house, plans),
    tell: (telling) => tell(house, telling),
    waiting: () => lookWaiting(house, plans),
  };
}

/** Looks at everybody's consumers. */
export function natsConsumers(house: House): () => Promise<readonly ConsumerState[]> {
  const plans = consumerPlans();
  return () => consumerStates(house, plans);
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

/** Tells in the log what the bus is worth: nothing depends on it, for the chain is in Postgres. */
export async function tellVerdict({ connection, log }: House): Promise<void> {
  const { version, acks, advisories } = await busVerdict(connection);
  log.info('bus seen', { version, acks, stream: ACKS[acks] });
  for (const { id, fixedIn, here } of advisories) {
    log.warn('bus has a known weakness', { version, id, fixedIn, here });
  }
}

const ACKS = {
  disk: 'survives a power cut',
  memory: 'may lose its last seconds in a power cut; they are told again',
  unknown: 'tells nobody whether it syncs; what it loses is told again',
} as const;

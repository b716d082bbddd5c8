// SPDX-License-Identifier: Apache-2.0
import type { DataOf, EventContract } from '@impound/contracts/event.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import { Later } from '@impound/runtime/fault.ts';
import type { Tools } from '../domain/batch.ts';
import { ownEvent } from '../domain/own-chain.ts';
import { enqueue, type Queue, WAITING_MS_MAX } from './queue.ts';

/**
 * Has the log say something of itself among the says of others; gives its index. The same again is
 * not said twice. Rejects with Later where it is not written in time.
 */
export type SayOwn = <C extends EventContract>(
  contract: C,
  data: DataOf<C>,
  signal: AbortSignal,
) => Promise<number>;

/** Says in the chain with this id, through the queue of the term. */
export function sayingOwn(id: string, queue: Queue, tools: Tools): SayOwn {
  return async (contract, data, signal) => {
    const said = ownEvent(id, { contract, data: data as object }, tools);
    const say = { ...said, contract, expectedVersion: undefined };
    const answered = Promise.withResolvers<SayReply>();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(WAITING_MS_MAX)]);
    const late = () => answered.reject(new Later('not-written', WAITING_MS_MAX, 'said too late'));
    limit.addEventListener('abort', late, { once: true });
    enqueue(queue, { say, cameAt: performance.now(), answer: answered.resolve });
    try {
      const reply = await answered.promise;
      if (reply.ok) return reply.seq;
      throw new Later('not-written', WAITING_MS_MAX, reply.because);
    } finally {
      limit.removeEventListener('abort', late);
    }
  };
}

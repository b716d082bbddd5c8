// SPDX-License-Identifier: Apache-2.0
import type { DataOf, EventContract } from '@impound/contracts/event.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import { Later } from '@impound/runtime/fault.ts';
import { unlessAborted } from '@impound/runtime/wait.ts';
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
    // Nobody takes it out of the queue of a term that is over.
    if (limit.aborted) throw late();
    enqueue(queue, { say, cameAt: performance.now(), answer: answered.resolve });
    const reply = await unlessAborted(answered.promise, limit).catch(() => {
      throw late();
    });
    if (reply.ok) return reply.seq;
    throw new Later('not-written', WAITING_MS_MAX, reply.because);
  };
}

function late(): Later {
  return new Later('not-written', WAITING_MS_MAX, 'said too late');
}

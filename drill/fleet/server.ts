// SPDX-License-Identifier: Apache-2.0
import { wait } from '@impound/runtime/wait.ts';
import type { Killable } from './member.ts';

/** A server that the fleet stands on: PostgreSQL or nats-server. */
export interface Server<Running> extends Killable, AsyncDisposable {
  /** What runs now, or ran last. */
  now(): Running;
}

interface Endable {
  kill(): Promise<void>;
}

/** Starts a server and starts it again, at the same place, whenever it was killed. */
export async function startServer<Running extends Endable>(
  name: string,
  start: (before: Running | undefined) => Promise<Running>,
  restartMs: number,
): Promise<Server<Running>> {
  const over = new AbortController();
  let running = await start(undefined);
  let ready: Promise<void> = Promise.resolve();
  let allowed: PromiseWithResolvers<void> | undefined;
  const again = async (): Promise<void> => {
    await allowed?.promise;
    await wait(restartMs, over.signal);
    if (!over.signal.aborted) running = await start(running);
  };
  return {
    name,
    now: () => running,
    kill: async () => {
      await ready;
      await running.kill();
      ready = again();
      ready.catch(() => undefined);
    },
    ready: () => ready,
    neglect: () => {
      allowed = Promise.withResolvers();
    },
    mend: () => allowed?.resolve(),
    [Symbol.asyncDispose]: async () => {
      over.abort();
      allowed?.resolve();
      await ready.catch(() => undefined);
      await running.kill();
    },
  };
}

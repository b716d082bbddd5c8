// SPDX-License-Identifier: Apache-2.0
import { Later, messageOf } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import { wait } from '@impound/runtime/wait.ts';
import type { Log } from './ports.ts';
import { behind, type Stream } from './relay.ts';

/** What is looked at before the ledger starts. */
export interface Foundations {
  readonly guards: { check(): Promise<void> };
  readonly log: Pick<Log, 'size'>;
  readonly stream: Pick<Stream, 'lay'>;
  readonly logging: Logging;
}

/**
 * Refuses to start (Never) on a database that is not guarded, or that has lost what others were
 * told. A database that is away is waited for; a bus that cannot tell proves nothing.
 */
export async function readyToStart(on: Foundations, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await on.guards.check();
      break;
    } catch (error) {
      if (!(error instanceof Later)) throw error;
      on.logging.warn('waiting for the database', { because: messageOf(error) });
      await wait(error.delayMs, signal);
      signal.throwIfAborted();
    }
  }
  const laid = await on.stream.lay().catch((error: unknown) => {
    on.logging.warn('stream not seen at the start', { because: messageOf(error) });
    return undefined;
  });
  // Read after the stream: another process may be writing.
  const size = await on.log.size();
  if (laid?.toldSeq !== undefined && laid.toldSeq >= size) throw behind(laid.toldSeq, size);
}

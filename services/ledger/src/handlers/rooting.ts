// SPDX-License-Identifier: Apache-2.0
import { HeadsRootedV1 } from '@impound/contracts/heads/rooted.v1.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import { wait } from '@impound/runtime/wait.ts';
import { eventIn } from '../domain/telling.ts';
import type { HeadsBook, LogHeads } from './log-heads.ts';
import type { Standing } from './ports.ts';
import type { SayOwn } from './say-own.ts';

/** What putting the heads of all chains on record needs. */
export interface RootingOn {
  readonly heads: LogHeads;
  readonly headsBook: HeadsBook;
  readonly headsMs: number;
  /** What this process itself has committed. */
  readonly standing: () => Pick<Standing, 'size'>;
  readonly logging: Logging;
  readonly sayOwn: SayOwn;
}

/**
 * Puts the root over the heads of all chains on record at intervals, where others than the log
 * itself have said something since, until the signal aborts. Nobody waits for any of it.
 */
export async function rooting(on: RootingOn, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await wait(on.headsMs, signal);
    if (signal.aborted) return;
    try {
      await rootOnce(on, signal);
    } catch (error) {
      if (signal.aborted) return;
      on.logging.warn('heads not on record yet', { because: messageOf(error) });
    }
  }
}

async function rootOnce(
  { heads, headsBook, standing, sayOwn }: RootingOn,
  signal: AbortSignal,
): Promise<void> {
  const { size } = standing();
  const last = await headsBook.rooted(size);
  if (!(await headsBook.hasOthers(last === undefined ? 0 : rootedIn(last.entry).size))) return;
  const root = await heads.at(size, (ranges) => ranges(0, size));
  const signers = await headsBook.signers(size);
  await sayOwn(HeadsRootedV1, { size, root: root.toString('hex'), signers }, signal);
}

/** What an entry of this type says. */
export function rootedIn(entry: string): HeadsRootedV1 {
  return HeadsRootedV1.shape.parse(eventIn(entry).data);
}

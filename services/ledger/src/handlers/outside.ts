// SPDX-License-Identifier: Apache-2.0
import { messageOf, Never } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import type { Checkpoint } from '@impound/transparency/checkpoint.ts';
import { EMPTY_ROOT } from '@impound/transparency/hash.ts';
import type { Tile } from '@impound/transparency/tile.ts';
import type { Head } from './checkpointing.ts';

/** The log as it is shown to those who remember it, and what they answer. */
export interface OutsideBook {
  /** How many leaves are committed. */
  size(): Promise<number>;
  /** The root over the first so many of them. */
  root(size: number): Promise<Buffer>;
  /** The newest checkpoint under a head; undefined: there is none yet. */
  newest(head: Head): Promise<{ readonly size: number; readonly note: string } | undefined>;
  /** The note over a size under a head, where there is one. */
  note(
    size: number,
    head: Head,
  ): Promise<{ readonly size: number; readonly note: string } | undefined>;
  consistency(from: number, to: number): Promise<readonly Buffer[]>;
  /** The largest size that a witness has cosigned; 0: none. */
  cosigned(witness: string, head: Head): Promise<number>;
  keep(cosignature: Cosignature): Promise<void>;
  tile(tile: Tile): Promise<Buffer>;
  entries(from: number, to: number): Promise<readonly Buffer[]>;
}

/** What a witness has added to a checkpoint. */
export interface Cosignature {
  readonly size: number;
  readonly head: Head;
  readonly witness: string;
  readonly line: string;
  readonly at: Date;
}

/** Somebody outside of the database who remembers the log: a witness, a mirror. */
export interface Memory {
  readonly name: string;
  /** The last checkpoint that it holds, its signatures verified; undefined: it holds none. */
  remembered(signal: AbortSignal): Promise<Checkpoint | undefined>;
}

/**
 * Throws Never where somebody remembers more of the log than the database holds, or another log:
 * what was promised is gone, and to go on would be to rewrite. Who cannot be asked proves nothing.
 */
export async function checkMemories(
  memories: readonly Memory[],
  book: Pick<OutsideBook, 'size' | 'root'>,
  logging: Logging,
  signal: AbortSignal,
): Promise<void> {
  const asked = await Promise.all(
    memories.map(async (memory) => {
      try {
        return { name: memory.name, known: await memory.remembered(signal) };
      } catch (error) {
        const because = messageOf(error);
        logging.warn('memory outside not asked', { name: memory.name, because });
        return { name: memory.name, known: undefined };
      }
    }),
  );
  // Read after the answers: another process may be writing.
  const size = await book.size();
  for (const { name, known } of asked) {
    if (known === undefined) continue;
    const wanted = Number(known.size);
    if (wanted > size) throw behindOutside(name, wanted, size);
    const root = wanted === 0 ? EMPTY_ROOT : await book.root(wanted);
    if (!root.equals(known.root)) throw rewritten(name, wanted);
  }
}

const ADVICE = 'restore the database completely; docs/witnesses.md says what else there is';

/** Somebody has seen more than there is. */
export function behindOutside(name: string, known: number, size: number): Never {
  const what = `${name} knows ${known} leaves of this log, the database holds ${size}`;
  return new Never('database-behind', `${what}: ${ADVICE}`);
}

/** Somebody has seen something else than there is. */
export function rewritten(name: string, size: number): Never {
  const what = `${name} knows another log than the database holds, up to ${size} leaves`;
  return new Never('log-rewritten', `${what}: find out who changed it; ${ADVICE}`);
}

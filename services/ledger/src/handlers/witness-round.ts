// SPDX-License-Identifier: Apache-2.0
import type { Head } from './checkpointing.ts';
import type { OutsideBook } from './outside.ts';

/** The checkpoint that witnesses are shown, one and the same to all of them for a while. */
export interface Round {
  /** The note of its size under a head; undefined: nothing is signed yet. */
  shown(head: Head): Promise<{ readonly size: number; readonly note: string } | undefined>;
  /** Told who has cosigned which size. */
  cosigned(witness: string, size: number): void;
}

/** Who does not come within this is shown a newer one when he does. */
const ROUND_MS_MAX = 10_000;

/**
 * While much is written each witness would see another checkpoint than the others, and none would
 * ever have enough cosignatures. So a new one is shown only when the one before has enough, or
 * when those who are missing have not come for a while.
 */
export function openRound(
  book: Pick<OutsideBook, 'newest' | 'note'>,
  isEnough: (witnesses: ReadonlySet<string>) => boolean,
): Round {
  let size = -1;
  let beganAt = 0;
  let signed = new Set<string>();
  const isOver = () => size < 0 || isEnough(signed) || performance.now() - beganAt >= ROUND_MS_MAX;
  const begin = async () => {
    const newest = await book.newest('own');
    // Another witness may have begun it meanwhile.
    if (newest === undefined || newest.size === size || !isOver()) return;
    [size, beganAt, signed] = [newest.size, performance.now(), new Set()];
  };
  return {
    shown: async (head) => {
      if (isOver()) await begin();
      return size < 0 ? undefined : await book.note(size, head);
    },
    cosigned: (witness, over) => {
      if (over === size) signed.add(witness);
    },
  };
}

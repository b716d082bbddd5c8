// SPDX-License-Identifier: Apache-2.0
import { type Checkpoint, openCheckpoint } from '@impound/transparency/checkpoint.ts';
import type { Vkey } from '@impound/transparency/vkey.ts';
import type { CustodyReader } from './custody-read.ts';

/** The bytes of a checkpoint that somebody has kept, and what to call it. */
export interface KnownNote {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Somebody saw the log with so many leaves, at this second since 1970. */
export interface Sighting {
  readonly by: string;
  readonly size: bigint;
  readonly time: bigint;
}

interface Against {
  /** Of the log, and of witnesses. */
  readonly keys: readonly Vkey[];
  readonly checkpoint: Checkpoint | undefined;
}

/** Holds a bag's checkpoint against others of the same log, and gives who saw them when. */
export function knownOf(
  reader: CustodyReader,
  notes: readonly KnownNote[],
  { keys, checkpoint }: Against,
): readonly Sighting[] {
  return notes.flatMap(({ name, bytes }) => {
    const known = reader.check({ name, outside: true }, () => openCheckpoint(bytes, keys));
    if (known === undefined) return [];
    const { size, root } = known;
    if (checkpoint?.size === size && !checkpoint.root.equals(root)) {
      const what = `the log was rewritten: ${size} leaves with root ${hex(root)}, in the bag ${hex(checkpoint.root)}`;
      reader.add('history-differs', what, { name, outside: true });
    }
    return known.verified.flatMap(({ key, time }) =>
      time === undefined ? [] : [{ by: key.name, size, time }],
    );
  });
}

function hex(bytes: Buffer): string {
  return bytes.toString('hex');
}

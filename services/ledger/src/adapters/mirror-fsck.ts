// SPDX-License-Identifier: Apache-2.0
import { Never } from '@impound/runtime/fault.ts';
import { parseCheckpoint } from '@impound/transparency/checkpoint.ts';
import { parseNote } from '@impound/transparency/note.ts';
import {
  entriesIn,
  entriesPath,
  hashesAt,
  TILE_WIDTH,
  tilePath,
} from '@impound/transparency/tile.ts';
import type { KeptLeaf, KeptLog, KeptTile } from '../handlers/fsck-ports.ts';
import type { MirrorStore } from '../handlers/mirroring.ts';

/** The log as a mirror keeps it: its bytes and full tiles up to its checkpoint, and no index. */
export async function mirroredLog(store: MirrorStore, signal: AbortSignal): Promise<KeptLog> {
  const read: Read = (path) => store.read(path, signal);
  const bytes = await read('checkpoint');
  if (bytes === undefined) throw new Never('mirror-missing', `${store.name} holds no checkpoint`);
  const size = Number(parseCheckpoint(parseNote(bytes).text).size);
  return {
    size,
    leaves: size,
    entries: () => leaves(read, size),
    tiles: (level) => tiles(read, size, level),
    batches: () => none(),
    checkpoints: () => one({ size, head: 'own', note: bytes.toString('utf8') }),
  };
}

type Read = (path: string) => Promise<Buffer | undefined>;

/** A bundle that is missing shows as leaves that are. */
async function* leaves(read: Read, size: number): AsyncGenerator<readonly KeptLeaf[]> {
  for (let first = 0; first < size; first += TILE_WIDTH) {
    const bundle = { n: first / TILE_WIDTH, width: Math.min(TILE_WIDTH, size - first) };
    const bytes = await read(entriesPath(bundle));
    if (bytes === undefined) continue;
    yield entriesIn(bytes).map((entry, at) => ({ idx: first + at, entry }));
  }
}

async function* tiles(
  read: Read,
  size: number,
  level: number,
): AsyncGenerator<readonly KeptTile[]> {
  for (let n = 0; (n + 1) * TILE_WIDTH <= hashesAt(size, level); n++) {
    const hashes = await read(tilePath({ level, n, width: TILE_WIDTH }));
    if (hashes !== undefined) yield [{ n, hashes }];
  }
}

async function* none(): AsyncGenerator<never> {}

async function* one<T>(value: T): AsyncGenerator<readonly T[]> {
  yield [value];
}

// SPDX-License-Identifier: Apache-2.0
import { messageOf, Never } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import { backoffMs, wait } from '@impound/runtime/wait.ts';
import { type Checkpoint, openCheckpoint } from '@impound/transparency/checkpoint.ts';
import {
  bundleBytes,
  entriesPath,
  hashesAt,
  TILE_WIDTH,
  type Tile,
  tilePath,
  tileWith,
} from '@impound/transparency/tile.ts';
import type { Vkey } from '@impound/transparency/vkey.ts';
import type { Memory, OutsideBook } from './outside.ts';

/** Where a mirror is kept. It needs no right to delete, and none on evidence. */
export interface MirrorStore {
  readonly name: string;
  /** Undefined: there is nothing under this path. */
  read(path: string, signal: AbortSignal): Promise<Buffer | undefined>;
  /** Durable when it resolves, whole or not at all; false: something stands there already. */
  add(path: string, bytes: Buffer, signal: AbortSignal): Promise<boolean>;
  /** The same, in the place of what stands there. */
  replace(path: string, bytes: Buffer, signal: AbortSignal): Promise<void>;
}

/** What mirroring needs. */
export interface MirroringOn {
  readonly store: MirrorStore;
  readonly book: OutsideBook;
  /** Every key that has signed under the log's own name: a checkpoint stays when keys change. */
  readonly logs: readonly Vkey[];
  readonly logging: Logging;
  readonly alarm: (fault: Never) => void;
}

const CHECKPOINT = 'checkpoint';
/** What is committed meanwhile goes with the next round. */
const MIRROR_MS = 5_000;
const AGAIN_MS_MAX = 60_000;

/** What a mirror remembers of the log: its last checkpoint. */
export function mirrorMemory({ store, logs }: Pick<MirroringOn, 'store' | 'logs'>): Memory {
  return { name: store.name, remembered: (signal) => remembered(store, logs, signal) };
}

async function remembered(
  store: MirrorStore,
  logs: readonly Vkey[],
  signal: AbortSignal,
): Promise<Checkpoint | undefined> {
  const bytes = await store.read(CHECKPOINT, signal);
  return bytes && openCheckpoint(bytes, logs);
}

/** Copies tiles, entries and the newest checkpoint (C2SP tlog-tiles) until the signal aborts. */
export async function mirroring(on: MirroringOn, signal: AbortSignal): Promise<void> {
  let mirrored: number | undefined;
  for (let attempt = 1; !signal.aborted; ) {
    try {
      mirrored = await mirrorOnce(on, mirrored, signal);
      attempt = 1;
      await wait(MIRROR_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Never && error.code === 'log-rewritten') return on.alarm(error);
      on.logging.warn('not mirrored', { name: on.store.name, because: messageOf(error) });
      await wait(backoffMs(attempt++, MIRROR_MS, AGAIN_MS_MAX), signal);
    }
  }
}

/** Gives the size that the mirror has. The checkpoint comes last: it stands over what is there. */
async function mirrorOnce(
  { store, book, logs }: MirroringOn,
  mirrored: number | undefined,
  signal: AbortSignal,
): Promise<number> {
  const from = mirrored ?? Number((await remembered(store, logs, signal))?.size ?? 0);
  const newest = await book.newest('own');
  if (newest === undefined || newest.size <= from) return from;
  const { size, note } = newest;
  for (const tile of newTiles(from, size)) {
    signal.throwIfAborted();
    await put(store, { path: tilePath(tile), bytes: await book.tile(tile), tile }, signal);
    if (tile.level > 0) continue;
    const first = tile.n * TILE_WIDTH;
    const entries = await book.entries(first, first + tile.width);
    await put(store, { path: entriesPath(tile), bytes: bundleBytes(entries), tile }, signal);
  }
  await store.replace(CHECKPOINT, Buffer.from(note, 'utf8'), signal);
  return size;
}

/** The tiles that a tree of the smaller size does not have: the lowest level first. */
function* newTiles(from: number, size: number): Generator<Tile> {
  for (let level = 0; hashesAt(size, level) > 0; level++) {
    const begin = hashesAt(from, level);
    const first = begin - (begin % TILE_WIDTH);
    for (let at = first; at < hashesAt(size, level); at += TILE_WIDTH) {
      yield tileWith(size, level, at);
    }
  }
}

interface Putting {
  readonly path: string;
  readonly bytes: Buffer;
  readonly tile: Tile;
}

/**
 * What is there already is left as it is, and must be the same. A full tile is looked for first:
 * not every store keeps what stands there when it is told to.
 */
async function put(
  store: MirrorStore,
  { path, bytes, tile }: Putting,
  signal: AbortSignal,
): Promise<void> {
  const before = tile.width === TILE_WIDTH ? await store.read(path, signal) : undefined;
  if (before === undefined && (await store.add(path, bytes, signal))) return;
  const there = before ?? (await store.read(path, signal));
  if (there?.equals(bytes)) return;
  const what = `${store.name} holds another ${path} than the database`;
  throw new Never('log-rewritten', `${what}: one of both was changed, find out which and by whom`);
}

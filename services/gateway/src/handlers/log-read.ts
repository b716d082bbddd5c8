// SPDX-License-Identifier: Apache-2.0
import { LedgerCheckpointV1 } from '@impound/contracts/ask/ledger.checkpoint.v1.ts';
import { LedgerConsistencyV1 } from '@impound/contracts/ask/ledger.consistency.v1.ts';
import { LedgerHeadsV1 } from '@impound/contracts/ask/ledger.heads.v1.ts';
import { LedgerProofV1 } from '@impound/contracts/ask/ledger.proof.v1.ts';
import { LedgerSignersV1 } from '@impound/contracts/ask/ledger.signers.v1.ts';
import { LedgerStampsV1 } from '@impound/contracts/ask/ledger.stamps.v1.ts';
import { LedgerTileV1 } from '@impound/contracts/ask/ledger.tile.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import type { Caller } from '../domain/caller.ts';
import { ANONYMOUS_MAX, CHECKPOINT_MS, TILES_MAX, WITNESSED_MS_MAX } from '../domain/limits.ts';
import { Refusal } from '../domain/problem.ts';
import { chainOf, unknown } from './chain-read.ts';
import { reach } from './reach.ts';

type Checkpoint = ReplyOf<typeof LedgerCheckpointV1>;
type Tile = RequestOf<typeof LedgerTileV1>;
type Sizes = RequestOf<typeof LedgerConsistencyV1>;

/** The log as it can be read over HTTP. All of it throws Refusal. */
export interface LogReads {
  /** What anybody may read: hashes and signatures, which tell of no entry. */
  readonly anybody: {
    checkpoint(head: 'own' | 'sigsum'): Promise<string>;
    tile(tile: Tile): Promise<Buffer>;
  };
  newest(): Promise<Checkpoint>;
  consistency(sizes: Sizes): Promise<{ readonly path: readonly string[] }>;
  /** Between which tokens of time entries lie. */
  stamps(of: RequestOf<typeof LedgerStampsV1>): Promise<ReplyOf<typeof LedgerStampsV1>>;
  /** Who signs what they say, by the entries that put it on record. */
  signers(of: RequestOf<typeof LedgerSignersV1>): Promise<ReplyOf<typeof LedgerSignersV1>>;
  /** Where the entries of one of the caller's chains stand. */
  places(
    caller: Caller,
    of: { readonly id: string; readonly after: number; readonly size: number },
  ): Promise<ReplyOf<typeof LedgerProofV1>>;
  /** Which entry was the last of one of the caller's chains, by the newest root over all heads. */
  head(
    caller: Caller,
    of: { readonly id: string; readonly size: number },
  ): Promise<ReplyOf<typeof LedgerHeadsV1>>;
}

/** Reads the log for people and programs; what anybody may ask is kept, and bounded. */
export function openLogReads(
  { ask, now }: { readonly ask: Ask; readonly now: () => number },
  signal: AbortSignal,
): LogReads {
  const newest = () => reach(ask(LedgerCheckpointV1, {}, signal));
  const bounded = bound(ANONYMOUS_MAX);
  return {
    anybody: {
      checkpoint: keptCheckpoint(() => bounded(newest), now),
      tile: keptTiles((tile) => bounded(() => reach(ask(LedgerTileV1, tile, signal)))),
    },
    newest,
    stamps: (of) => reach(ask(LedgerStampsV1, of, signal)),
    signers: (of) => reach(ask(LedgerSignersV1, of, signal)),
    consistency: async (sizes) => {
      const { path } = await reach(ask(LedgerConsistencyV1, sizes, signal));
      if (path !== undefined) return { path };
      throw new Refusal('not-found', 'the log never had these sizes, one before the other');
    },
    places: async ({ tenant }, { id, after, size }) => {
      const of = { ...chainOf(tenant, id), after, size };
      const places = await reach(ask(LedgerProofV1, of, signal));
      if (places.version > 0) return places;
      throw unknown();
    },
    head: async ({ tenant }, { id, size }) => {
      const head = await reach(ask(LedgerHeadsV1, { ...chainOf(tenant, id), size }, signal));
      if (head.version > 0) return head;
      throw unknown();
    },
  };
}

/** Lets so many work at once and refuses the others: all are told to slow down, together. */
export function bound(atOnceMax: number) {
  let running = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnceMax) throw new Refusal('unavailable', 'too many ask: ask again');
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
    }
  };
}

function keptCheckpoint(read: () => Promise<Checkpoint>, now: () => number) {
  let kept: { readonly at: number; readonly checkpoint: Promise<Checkpoint> } | undefined;
  return async (head: 'own' | 'sigsum'): Promise<string> => {
    if (kept === undefined || now() - kept.at > CHECKPOINT_MS) {
      const checkpoint = read();
      kept = { at: now(), checkpoint };
      checkpoint.catch(() => {
        if (kept?.checkpoint === checkpoint) kept = undefined;
      });
    }
    const { checkpoint, witnessed } = await kept.checkpoint;
    // Whoever wants witnesses could use no newer one; where they stay away, the log still goes on.
    const isLate = (witnessed?.behindMs ?? Infinity) > WITNESSED_MS_MAX;
    const shown = isLate ? checkpoint : witnessed;
    if (shown !== undefined) return shown[head];
    throw new Refusal('not-found', 'nothing is signed yet: ask again in a little while');
  };
}

/** A tile never changes: the ones that were asked for last are kept. */
function keptTiles(read: (tile: Tile) => Promise<ReplyOf<typeof LedgerTileV1>>) {
  const kept = new Map<string, Buffer>();
  return async (tile: Tile): Promise<Buffer> => {
    const key = `${tile.level}/${tile.n}/${tile.width}`;
    const { hashes } = kept.has(key) ? { hashes: undefined } : await read(tile);
    const bytes =
      kept.get(key) ?? (hashes === undefined ? undefined : Buffer.from(hashes, 'base64'));
    if (bytes === undefined) throw new Refusal('not-found', 'the log has no such tile');
    kept.delete(key);
    kept.set(key, bytes);
    const [oldest = key] = kept.keys();
    if (kept.size > TILES_MAX) kept.delete(oldest);
    return bytes;
  };
}

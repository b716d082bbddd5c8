// SPDX-License-Identifier: Apache-2.0
import type { Entry } from '@impound/contracts/entry.ts';
import { HeadsRootedV1 } from '@impound/contracts/heads/rooted.v1.ts';
import { SignerRegisteredV1 } from '@impound/contracts/signer/registered.v1.ts';
import { SignerRetiredV1 } from '@impound/contracts/signer/retired.v1.ts';
import { headHash, headsTileRoot, openHeadsTree } from '@impound/transparency/heads.ts';
import { TILE_WIDTH } from '@impound/transparency/tile.ts';
import type { Findings } from './fsck-findings.ts';

/** The heads of all chains, made again from the leaves, and held against what the log says. */
export interface HeadsCheck {
  /** Takes an entry, in the order of the log. */
  add(entry: Entry, at: { readonly idx: number; readonly hash: Buffer }): void;
  /** Compares the roots among the entries that were taken. */
  settle(): Promise<void>;
  /** How many roots were compared. */
  rooted(): number;
}

/** A root stands at most so far behind the leaves that it is made of; docs/spec/ledger.md. */
export const ROOT_BEHIND_MAX = 262_144;

/** An entry, as its chain moved by it. */
interface Moved {
  readonly idx: number;
  readonly acq: string;
  readonly acqSeq: number;
  readonly hash: Buffer;
}

/** An entry that holds a root. */
interface Rooted extends HeadsRootedV1 {
  readonly idx: number;
  readonly eventId: string;
}

/** Begins with no chains; what is remembered of each is some hundred bytes. */
export function checkingHeads(findings: Findings): HeadsCheck {
  const heads = openHeads();
  let waiting: Moved[] = [];
  let roots: Rooted[] = [];
  const signers: number[] = [];
  let rooted = 0;
  const growTo = async (size: number) => {
    const end = waiting.findIndex(({ idx }) => idx >= size);
    const moved = end < 0 ? waiting : waiting.slice(0, end);
    waiting = end < 0 ? [] : waiting.slice(end);
    return await heads.grow(size, moved);
  };
  return {
    add: ({ acq, acqSeq, event }, { idx, hash }) => {
      waiting.push({ idx, acq, acqSeq, hash });
      if (NAME_SIGNERS.includes(event.type)) signers.push(idx);
      if (event.type !== HeadsRootedV1.type) return;
      const { data: says } = HeadsRootedV1.shape.safeParse(event.data);
      if (says !== undefined) roots.push({ ...says, idx, eventId: event.id });
    },
    settle: async () => {
      for (const one of roots) {
        rooted++;
        const what =
          sizeFault(one, heads.size()) ??
          rootFault(one, await growTo(one.size)) ??
          signersFault(one, signers);
        const { idx, eventId } = one;
        if (what !== undefined) findings.add({ class: 'tree', idx, eventId, what });
      }
      roots = [];
      const far = (waiting.at(-1)?.idx ?? 0) - ROOT_BEHIND_MAX;
      if ((waiting[0]?.idx ?? far) < far) await growTo(far);
    },
    rooted: () => rooted,
  };
}

function sizeFault({ size, idx }: Rooted, now: number): string | undefined {
  if (size > idx) return `it is a root over ${size} heads, and stands at ${idx}`;
  if (size >= now) return undefined;
  return `it is a root over ${size} heads: an older one than before, or too far behind them`;
}

function rootFault({ size, root }: Rooted, found: string): string | undefined {
  return found === root ? undefined : `the root over ${size} heads is ${found}, not ${root}`;
}

const NAME_SIGNERS: readonly string[] = [SignerRegisteredV1.type, SignerRetiredV1.type];

function signersFault({ size, signers }: Rooted, at: readonly number[]): string | undefined {
  const found = at.filter((idx) => idx < size).length;
  if (signers === undefined || signers === found) return undefined;
  return `${found} of the first ${size} leaves name signers, not ${signers}`;
}

function openHeads() {
  const tree = openHeadsTree();
  const begun = new Map<string, number>();
  const tiles = new Map<number, Map<number, Buffer>>();
  const headsIn = async (n: number) => tiles.get(n) ?? new Map();
  return {
    size: tree.size,
    /** Adds entries, up to a size of the log; gives the root over the heads then. */
    grow: async (size: number, moved: readonly Moved[]): Promise<string> => {
      const changed = new Set([Math.floor(tree.size() / TILE_WIDTH)]);
      for (const { idx, acq, acqSeq, hash } of moved) {
        const first = begun.get(acq) ?? idx;
        const n = Math.floor(first / TILE_WIDTH);
        const heads = tiles.get(n) ?? new Map<number, Buffer>();
        heads.set(first, headHash({ acq, acqSeq, last: hash }));
        begun.set(acq, first);
        tiles.set(n, heads);
        changed.add(n);
      }
      const full = [...changed].filter((n) => (n + 1) * TILE_WIDTH <= size);
      const root = (n: number) => headsTileRoot(n, tiles.get(n) ?? new Map());
      tree.become(size, new Map(full.map((n) => [n, root(n)])));
      return (await tree.ranges(headsIn)(0, size)).toString('hex');
    },
  };
}

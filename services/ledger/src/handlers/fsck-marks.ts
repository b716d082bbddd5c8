// SPDX-License-Identifier: Apache-2.0
import {
  type Checkpoint,
  openCheckpoint,
  parseCheckpoint,
} from '@impound/transparency/checkpoint.ts';
import { parseNote } from '@impound/transparency/note.ts';
import { ProofFault } from '@impound/transparency/proof-fault.ts';
import { sigsumVkey } from '@impound/transparency/sigsum.ts';
import { KEY_TYPES, type Vkey, vkey } from '@impound/transparency/vkey.ts';
import { markingBeside } from './fsck-beside.ts';
import type { Findings } from './fsck-findings.ts';
import type { OwnLog } from './fsck-own.ts';
import type { FsckClass, FsckReport, KeptBatch, KeptCheckpoint, KeptLog } from './fsck-ports.ts';
import type { StampCheck } from './fsck-stamps.ts';
import { type Derived, treeFaults } from './fsck-tree.ts';
import { upTo, walk } from './pages.ts';

/** What is known of a log outside of it. */
export interface Outside {
  /** By which its checkpoints must be signed; none: signatures are not looked at. */
  readonly keys: readonly Vkey[];
  /** Checkpoints that others have kept: a witness, a mirror, an auditor. */
  readonly known: readonly Checkpoint[];
  /** Under which names cosignatures are looked at by their keys. */
  readonly witnesses?: readonly Vkey[];
  /** By which tokens of time are looked at; none: only that they are of what they are kept for. */
  readonly stamp?: StampCheck | undefined;
}

/** What was looked at. */
type MarkCounts = Pick<
  FsckReport,
  'batches' | 'checkpoints' | 'signed' | 'cosignatures' | 'cosigned' | 'stamps' | 'stamped'
>;

/** Sizes at which something was said about the log. */
export interface Marks {
  readonly counts: MarkCounts;
  /** The next size after this one that something is said about. */
  next(size: number): Promise<number | undefined>;
  /** Compares what is said about this size with the tree, which has it. */
  at(size: number): Promise<void>;
  /** Finds what is said about sizes that the log does not have. */
  beyond(size: number): Promise<void>;
}

interface Marking {
  readonly outside: Outside;
  readonly findings: Findings;
  readonly tree: Derived;
  readonly own: OwnLog;
}

/** Everything that batches, checkpoints and others say about the log, in the order of sizes. */
export function marking(log: KeptLog, { outside, findings, tree, own }: Marking): Marks {
  const batches = walk(log.batches());
  const checkpoints = walk(log.checkpoints());
  const known = outside.known.map(({ size, root }) => ({ size: Number(size), root }));
  const counts = { batches: 0, checkpoints: 0, signed: 0 };
  const beside = markingBeside(log, outside, findings);
  const add = (kind: FsckClass, idx: number) => (what: string) =>
    findings.add({ class: kind, idx, what });
  let before: number | undefined;
  return {
    get counts() {
      return { ...counts, ...beside.counts };
    },
    next: async (size) => {
      const sizes = [
        (await batches.next())?.sizeAfter,
        (await checkpoints.next())?.size,
        ...known.map((one) => one.size),
      ];
      const ahead = sizes.filter((one) => one !== undefined && one > size) as number[];
      return ahead.length === 0 ? undefined : Math.min(...ahead);
    },
    at: async (size) => {
      for await (const batch of upTo(batches, ({ sizeAfter }) => sizeAfter <= size)) {
        counts.batches++;
        checkBatch(batch, { before, tree, add: add('batch', size) });
        before = batch.sizeAfter;
      }
      for await (const one of upTo(checkpoints, (next) => next.size <= size)) {
        counts.checkpoints++;
        const against = { keys: outside.keys, own, tree, add: add('checkpoint', size) };
        counts.signed += checkCheckpoint(one, against) ? 1 : 0;
        beside.checkpoint(one);
      }
      await beside.at(size);
      const roots = known.filter((one) => one.size === size);
      for (const what of roots.flatMap((one) => treeFaults(tree.tree(), one))) {
        add('history', size)(`${what} as others know it: the log was rewritten`);
      }
    },
    beyond: async (size) => {
      beside.end(own.stamps);
      for await (const { sizeAfter } of upTo(batches, () => true)) {
        add('batch', size)(`a batch ends at ${sizeAfter}, the leaves at ${size}`);
      }
      for await (const one of upTo(checkpoints, () => true)) {
        add('history', size)(`a checkpoint is over ${one.size} leaves, and ${size} are there`);
      }
      for (const one of known.filter((other) => other.size > size)) {
        const what = `others know ${one.size} leaves, and ${size} are there: the end was cut off`;
        add('history', size)(what);
      }
    },
  };
}

interface Against {
  readonly tree: Derived;
  readonly add: (what: string) => void;
}

function checkBatch(
  batch: KeptBatch,
  { before, tree, add }: Against & { before: number | undefined },
) {
  if (batch.sizeBefore !== before) {
    add(`batch ${batch.sizeAfter} follows ${batch.sizeBefore}, and ${before} is the one before it`);
  }
  if (batch.sizeAfter !== tree.tree().size) return add(`batch ${batch.sizeAfter} is out of order`);
  for (const what of treeFaults(tree.tree(), batch)) add(`batch ${batch.sizeAfter}: ${what}`);
}

/** Gives whether a key that is known outside has signed it, or one that such a key vouches for. */
function checkCheckpoint(
  kept: KeptCheckpoint,
  { keys, own, tree, add }: Against & { readonly keys: readonly Vkey[]; readonly own: OwnLog },
): boolean {
  const name = `checkpoint ${kept.size} (${kept.head})`;
  try {
    const note = Buffer.from(kept.note, 'utf8');
    const { size, root, origin } = parseCheckpoint(parseNote(note).text);
    if (size !== BigInt(kept.size)) add(`${name} is over ${size} leaves`);
    for (const what of treeFaults(tree.tree(), { root })) add(`${name}: ${what}`);
    const named = signerOf(own, kept);
    if (named !== undefined) openCheckpoint(note, [named]);
    const given = keys.filter((key) => key.name === origin);
    if (given.length === 0) return false;
    if (!given.some(({ key }) => isNamed(own, kept.head, key))) openCheckpoint(note, given);
    return true;
  } catch (error) {
    if (!(error instanceof ProofFault)) throw error;
    add(`${name}: ${error.message}`);
    return false;
  }
}

/** Whose signature the log itself lets stand under this size. */
function signerOf(own: OwnLog, { head, size }: KeptCheckpoint): Vkey | undefined {
  const origin = own.origin();
  const key = own.keyAt(head === 'own' ? 'checkpoint' : 'sigsum', size);
  if (origin === undefined || key === undefined) return undefined;
  return head === 'own' ? vkey(origin, KEY_TYPES.note, key) : sigsumVkey(key);
}

/** Each key of the log was vouched for by the one before it, so one of them stands for all. */
function isNamed(own: OwnLog, head: string, key: Buffer): boolean {
  return own.keys(head === 'own' ? 'checkpoint' : 'sigsum').some((one) => one.equals(key));
}

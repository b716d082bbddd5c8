// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer';
import type { Entry } from '@impound/contracts/entry.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import {
  isSigsumLeafOf,
  parseSigsumLeaf,
  SIGSUM_LEAF_BYTES,
  sigsumChecksum,
} from '@impound/transparency/sigsum.ts';
import {
  type Before,
  type Columns,
  columnFaults,
  columnsOf,
  linkFaults,
  readEntry,
} from '../domain/recheck.ts';
import type { Findings } from './fsck-findings.ts';
import type { HeadsCheck } from './fsck-heads.ts';
import type { OwnLog } from './fsck-own.ts';
import type { FsckClass, KeptLeaf } from './fsck-ports.ts';

/** Looks at leaves one after the other. */
export interface LeafCheck {
  /** Gives the leaf's hash, made of its bytes. */
  look(leaf: KeptLeaf): Buffer;
  /** Told after the last one. */
  end(): void;
}

/**
 * Checks each leaf by itself and as a link of its chain. Where the store does not say what comes
 * before an entry in its chain, it is remembered: some hundred bytes for each chain.
 */
export function checkingLeaves(
  findings: Findings,
  { own, heads }: Pick<Course, 'own' | 'heads'>,
): LeafCheck {
  let last: Last | undefined;
  const course = { chains: new Map<string, Before>(), order: inOrder(findings), own, heads };
  const alone = () => {
    if (last?.sealed !== true) return;
    const what = 'no leaf of sigsum that vouches for this seal stands behind it';
    findings.add({ class: 'chain', idx: last.idx, what });
  };
  const look = (one: KeptLeaf) => {
    const hash = leafHash(one.entry);
    if (one.kept !== undefined && !one.kept.leaf.equals(hash)) {
      const held = one.kept.leaf.toString('hex');
      const what = `its bytes hash to ${hash.toString('hex')}, its row holds ${held}`;
      findings.add({ class: 'entry', idx: one.idx, eventId: idOf(one), what });
    }
    const vouches = isSigsumLeaf(one);
    if (!vouches) alone();
    const sealed = vouches
      ? checkSigsumLeaf(one, { last, own }, findings)
      : checkEntry(one, hash, course, findings);
    last = { idx: one.idx, entry: one.entry, sealed };
    return hash;
  };
  return { look, end: alone };
}

/** The leaf before. */
interface Last {
  readonly idx: number;
  readonly entry: Buffer;
  readonly sealed: boolean;
}

function idOf({ kept }: KeptLeaf): string | undefined {
  return kept?.columns?.eventId;
}

/**
 * By its length alone: ids, hash and salt of an entry are longer. What its bytes begin with says
 * nothing, for a checksum may begin with anything.
 */
function isSigsumLeaf({ entry }: KeptLeaf): boolean {
  return entry.length === SIGSUM_LEAF_BYTES;
}

function checkSigsumLeaf(
  one: KeptLeaf,
  { last, own }: { readonly last: Last | undefined; readonly own: OwnLog },
  findings: Findings,
): false {
  const add = (kind: FsckClass, what: string) => findings.add({ class: kind, idx: one.idx, what });
  if (one.kept?.columns !== undefined) add('index', 'its row says that it is an entry of a chain');
  if (last?.sealed !== true) add('chain', 'it vouches for a seal, and no seal stands before it');
  else {
    const leaf = parseSigsumLeaf(one.entry);
    const submitter = own.keyAt('submitter', one.idx);
    if (!leaf.checksum.equals(sigsumChecksum(last.entry))) {
      add('chain', 'it vouches for other bytes than those of the seal before it');
    } else if (submitter !== undefined && !isSigsumLeafOf(leaf, last.entry, submitter)) {
      add('checkpoint', 'the submitter key that the log names has not signed it');
    }
  }
  return false;
}

/** Recorded times never go back in the order of the log: by them a time is found in it. */
function inOrder(findings: Findings): (entry: Entry, idx: number) => void {
  let last = '';
  return ({ recordedAt, event }, idx) => {
    if (recordedAt < last) {
      const what = `it says to be recorded at ${recordedAt}, what stands before it at ${last}`;
      findings.add({ class: 'entry', idx, eventId: event.id, what });
    } else last = recordedAt;
  };
}

/** What is remembered from leaf to leaf. */
interface Course {
  readonly chains: Map<string, Before>;
  readonly order: (entry: Entry, idx: number) => void;
  readonly own: OwnLog;
  readonly heads: Pick<HeadsCheck, 'add'>;
}

/** Gives whether the entry is a seal. */
function checkEntry(one: KeptLeaf, hash: Buffer, course: Course, findings: Findings): boolean {
  const entry = entryIn(one.entry);
  if (typeof entry === 'string') {
    findings.add({ class: 'entry', idx: one.idx, eventId: idOf(one), what: entry });
    return false;
  }
  const add = (kind: FsckClass, what: string) =>
    findings.add({ class: kind, idx: one.idx, eventId: entry.event.id, what });
  course.order(entry, one.idx);
  course.heads.add(entry, { idx: one.idx, hash });
  for (const { class: kind, what } of course.own.read(entry, one.idx)) add(kind, what);
  const before = one.kept === undefined ? course.chains.get(entry.acq) : one.kept.before;
  if (before !== undefined && before.idx >= one.idx) {
    add('chain', `the entry before it in its chain stands behind it, at ${before.idx}`);
  }
  for (const what of linkFaults(entry, before)) add('chain', what);
  const derived = columnsOf(entry, before);
  if (one.kept === undefined) {
    const { acqSeq, tenant, caseId } = derived;
    const leaf = hash.toString('hex');
    course.chains.set(entry.acq, { idx: one.idx, leaf, acqSeq, tenant, caseId });
  } else for (const what of indexFaults(one.kept.columns, derived)) add('index', what);
  return entry.event.type === 'acquisition.sealed.v1';
}

function entryIn(bytes: Buffer): Entry | string {
  return isUtf8(bytes) ? readEntry(bytes.toString('utf8')) : 'its bytes are no UTF-8';
}

function indexFaults(kept: Columns | undefined, derived: Columns): readonly string[] {
  return kept === undefined ? ['its row says that it is no entry'] : columnFaults(kept, derived);
}

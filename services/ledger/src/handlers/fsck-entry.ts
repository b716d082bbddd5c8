// SPDX-License-Identifier: Apache-2.0
import type { Entry } from '@impound/contracts/entry.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import {
  parseSigsumLeaf,
  SIGSUM_LEAF_BYTES,
  sigsumChecksum,
} from '@impound/transparency/sigsum.ts';
import { type Before, columnFaults, columnsOf, linkFaults, readEntry } from '../domain/recheck.ts';
import type { Findings } from './fsck-findings.ts';
import type { FsckClass, KeptLeaf } from './fsck-ports.ts';

/** Looks at leaves one after the other; gives each one's hash, made of its bytes. */
export type LeafCheck = (leaf: KeptLeaf) => Buffer;

/**
 * Checks each leaf by itself and as a link of its chain. Where the store does not say what comes
 * before an entry in its chain, it is remembered: some hundred bytes for each chain.
 */
export function checkingLeaves(findings: Findings): LeafCheck {
  const chains = new Map<string, Before>();
  let last: { readonly entry: Buffer; readonly sealed: boolean } | undefined;
  const order = inOrder(findings);
  return (one) => {
    const hash = leafHash(one.entry);
    if (one.kept !== undefined && !one.kept.leaf.equals(hash)) {
      const held = one.kept.leaf.toString('hex');
      const what = `its bytes hash to ${hash.toString('hex')}, its row holds ${held}`;
      findings.add({ class: 'entry', idx: one.idx, eventId: idOf(one), what });
    }
    const sealed = isSigsumLeaf(one)
      ? checkSigsumLeaf(one, last, findings)
      : checkEntry(one, { hash, chains, order }, findings);
    last = { entry: one.entry, sealed };
    return hash;
  };
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
  last: { readonly entry: Buffer; readonly sealed: boolean } | undefined,
  findings: Findings,
): false {
  const add = (kind: FsckClass, what: string) => findings.add({ class: kind, idx: one.idx, what });
  if (one.kept?.columns !== undefined) add('index', 'its row says that it is an entry of a chain');
  if (last?.sealed !== true) add('chain', 'it vouches for a seal, and no seal stands before it');
  else if (!parseSigsumLeaf(one.entry).checksum.equals(sigsumChecksum(last.entry))) {
    add('chain', 'it vouches for other bytes than those of the seal before it');
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

/** Gives whether the entry is a seal. */
function checkEntry(
  one: KeptLeaf,
  {
    hash,
    chains,
    order,
  }: {
    readonly hash: Buffer;
    readonly chains: Map<string, Before>;
    readonly order: (entry: Entry, idx: number) => void;
  },
  findings: Findings,
): boolean {
  const entry = readEntry(one.entry.toString('utf8'));
  if (typeof entry === 'string') {
    findings.add({ class: 'entry', idx: one.idx, eventId: idOf(one), what: entry });
    return false;
  }
  const add = (kind: FsckClass, what: string) =>
    findings.add({ class: kind, idx: one.idx, eventId: entry.event.id, what });
  order(entry, one.idx);
  const before = one.kept === undefined ? chains.get(entry.acq) : one.kept.before;
  if (before !== undefined && before.idx >= one.idx) {
    add('chain', `the entry before it in its chain stands behind it, at ${before.idx}`);
  }
  for (const what of linkFaults(entry, before)) add('chain', what);
  const derived = columnsOf(entry, before);
  if (one.kept === undefined) {
    const { acqSeq, tenant, caseId } = derived;
    chains.set(entry.acq, { idx: one.idx, leaf: hash.toString('hex'), acqSeq, tenant, caseId });
  } else if (one.kept.columns === undefined) add('index', 'its row says that it is no entry');
  else for (const what of columnFaults(one.kept.columns, derived)) add('index', what);
  return entry.event.type === 'acquisition.sealed.v1';
}

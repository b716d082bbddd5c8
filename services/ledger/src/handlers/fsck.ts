// SPDX-License-Identifier: Apache-2.0
import { rootOf } from '@impound/transparency/tree.ts';
import { checkingLeaves } from './fsck-entry.ts';
import { type Findings, openFindings } from './fsck-findings.ts';
import { checkingHeads, type HeadsCheck } from './fsck-heads.ts';
import { type Marks, marking, type Outside } from './fsck-marks.ts';
import { type OwnLog, readingOwn } from './fsck-own.ts';
import type { FsckReport, KeptLog } from './fsck-ports.ts';
import { type Derived, deriving } from './fsck-tree.ts';

/** Told after each page: how many leaves were looked at. */
export type Progress = (leaves: number, size: number) => void;

/**
 * Makes a log again from the bytes of its leaves and holds everything that is kept of it against
 * that: hashes, index, chains, their heads, tiles, roots, checkpoints, and what is known outside.
 * Reads page by page; what it holds is some hundred bytes for each chain.
 */
export async function fsck(
  log: KeptLog,
  outside: Outside,
  progress: Progress,
  signal: AbortSignal,
): Promise<FsckReport> {
  const findings = openFindings();
  const tree = deriving(log, findings);
  const own = readingOwn();
  const heads = checkingHeads(findings);
  const marks = marking(log, { outside, findings, tree, own });
  const counted = await derive(log, { tree, marks, findings, own, heads }, progress, signal);
  checkLength(log, counted, findings);
  await checkKeys(log, own, findings);
  if (counted.whole) await marks.beyond(tree.tree().size);
  return {
    size: log.size,
    root: counted.whole ? rootOf(tree.tree()).toString('hex') : undefined,
    entries: counted.entries,
    heads: heads.rooted(),
    tiles: counted.whole ? await tree.end() : 0,
    ...marks.counts,
    findings: findings.all(),
    leftOut: findings.leftOut(),
  };
}

interface Counted {
  readonly entries: number;
  /** False: a leaf is missing, and nothing follows about the tree from there on. */
  readonly whole: boolean;
}

interface Checks {
  readonly tree: Derived;
  readonly marks: Marks;
  readonly findings: Findings;
  readonly own: OwnLog;
  readonly heads: HeadsCheck;
}

/** The index of keys is held against what the log says of itself. */
async function checkKeys({ beside }: KeptLog, own: OwnLog, findings: Findings): Promise<void> {
  for (const fault of own.compare((await beside?.keys()) ?? [])) {
    if (beside !== undefined) findings.add(fault);
  }
}

async function derive(
  log: KeptLog,
  { tree, marks, findings, own, heads }: Checks,
  progress: Progress,
  signal: AbortSignal,
): Promise<Counted> {
  const check = checkingLeaves(findings, { own, heads });
  let expected = 0;
  let entries = 0;
  let whole = true;
  await marks.at(0);
  for await (const page of log.entries(signal)) {
    signal.throwIfAborted();
    const hashes: Buffer[] = [];
    for (const leaf of page) {
      if (leaf.idx !== expected) {
        const what = `leaf ${expected} is missing: the next one that is kept is ${leaf.idx}`;
        findings.add({ class: 'entry', idx: expected, what });
        whole = false;
      }
      hashes.push(check.look(leaf));
      expected = leaf.idx + 1;
      entries++;
    }
    if (whole) await addUpToMarks(hashes, tree, marks);
    await heads.settle();
    progress(expected, log.size);
  }
  check.end();
  return { entries, whole };
}

/** A root holds at one size only: the tree stops there. */
async function addUpToMarks(hashes: Buffer[], tree: Derived, marks: Marks): Promise<void> {
  for (let from = 0; from < hashes.length; ) {
    const { size } = tree.tree();
    const next = await marks.next(size);
    const to = Math.min(hashes.length, next === undefined ? Infinity : from + next - size);
    await tree.add(hashes.slice(from, to));
    await marks.at(tree.tree().size);
    from = to;
  }
}

function checkLength(log: KeptLog, { entries }: Counted, findings: Findings): void {
  const rows = log.beside?.rows ?? entries;
  if (rows > entries) {
    const what = `${rows} rows are kept of ${entries} leaves: some have one index`;
    findings.add({ class: 'entry', idx: entries, what });
  }
  if (log.leaves === log.size) return;
  const idx = Math.min(log.leaves, log.size);
  const what = `it is said to have ${log.size} leaves, and ${log.leaves} are kept`;
  findings.add({
    class: log.leaves < log.size ? 'entry' : 'batch',
    idx: Math.min(idx, entries),
    what,
  });
}

// SPDX-License-Identifier: Apache-2.0

import type { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import { type Acquisition, NO_ACQUISITION, next } from '@impound/contracts/chain.ts';
import { Entry, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import { leafHash as leafOf } from '@impound/transparency/hash.ts';
import { isFoldable } from './entry-data.ts';
import { printable } from './path-bytes.ts';
import { clockRemarks } from './verify-clocks.ts';
import { orderCheck } from './verify-order.ts';

/** One thing that is wrong with a chain: what, and at which line. */
export interface ChainFinding {
  readonly code:
    | 'chain-unreadable'
    | 'chain-line-invalid'
    | 'chain-not-canonical'
    | 'chain-broken'
    | 'chain-mixed'
    | 'chain-disordered'
    | 'chain-unsealed'
    | 'seal-mismatch'
    | 'limit-exceeded';
  readonly what: string;
  readonly where: string;
}

/** What verifying a chain showed: from its own bytes alone, without a signature of the ledger. */
export interface ChainReport {
  readonly ok: boolean;
  readonly findings: readonly ChainFinding[];
  /** How many entries could be read. */
  readonly entries: number;
  /** Leaf hash of the last entry. */
  readonly head: string;
  readonly state: Acquisition;
  /** What clocks say that cannot all be right, and at which line; no fault of the chain. */
  readonly clocks: readonly { readonly what: string; readonly where: string }[];
}

const FINDINGS_MAX = 100;
const ENTRIES_MAX = 100_000;
const WHY_CHARACTERS_MAX = 200;

/** SHA-256 of 0x00 and the entry's bytes, lower-case hex: a leaf of RFC 6962, section 2.1. */
export function leafHash(bytes: Uint8Array): string {
  return leafOf(bytes).toString('hex');
}

/**
 * Checks a chain line by line: each line is one entry in canonical JSON, names the leaf hash of the
 * line before it, counts on from it, and belongs to the same acquisition; and the seal fits. What
 * the lines throw is a finding, too.
 */
export async function verifyChain(lines: AsyncIterable<string>): Promise<ChainReport> {
  const findings: ChainFinding[] = [];
  const add: Add = (code, what, where) => {
    if (findings.length < FINDINGS_MAX) findings.push({ code, what, where });
  };
  const clocks: { what: string; where: string }[] = [];
  const remark = (what: string, where: string) => {
    if (clocks.length < FINDINGS_MAX) clocks.push({ what, where });
  };
  const read = { state: NO_ACQUISITION, head: NO_PREVIOUS, entries: 0 };
  try {
    await readAll(lines, read, { add, remark });
  } catch (error) {
    add('chain-unreadable', whyOf(error), FILE);
  }
  const { state, head, entries } = read;
  if (state.ended === undefined) {
    add('chain-unsealed', 'the acquisition has not ended: the chain can still grow', FILE);
  }
  return { ok: findings.length === 0, findings, entries, head, state, clocks };
}

const FILE = 'chain.jsonl';

/** Stops at the first line that is no entry: nothing follows from what comes after it. */
async function readAll(
  lines: AsyncIterable<string>,
  read: { state: Acquisition; head: string; entries: number },
  { add, remark }: { readonly add: Add; readonly remark: (what: string, where: string) => void },
): Promise<void> {
  const disorder = orderCheck();
  for await (const text of lines) {
    const where = `${FILE}, line ${read.entries + 1}`;
    if (read.entries >= ENTRIES_MAX) {
      return add('limit-exceeded', `more than ${ENTRIES_MAX} entries`, where);
    }
    const entry = readEntry(text, where, add);
    if (entry === undefined) return;
    const { state, head } = read;
    checkLink({ entry, state, head, where }, add);
    checkSeal({ entry, state, head, where }, add);
    for (const what of disorder(entry, state)) add('chain-disordered', what, where);
    for (const what of clockRemarks(entry, state.lastAt)) remark(what, where);
    read.state = next(state, entry);
    read.head = leafHash(Buffer.from(text, 'utf8'));
    read.entries += 1;
  }
}

function whyOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const text = code === 'ENOENT' ? 'there is no such file' : String(error);
  return printable(Buffer.from(text.slice(0, WHY_CHARACTERS_MAX)));
}

type Add = (code: ChainFinding['code'], what: string, where: string) => void;

function readEntry(text: string, where: string, add: Add): Entry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
    if (canonical(value) !== text) {
      add('chain-not-canonical', 'not the bytes that were hashed: no canonical JSON', where);
    }
  } catch {
    add('chain-line-invalid', 'no JSON', where);
    return undefined;
  }
  const entry = Entry.safeParse(value);
  if (entry.success && isFoldable(entry.data.event)) return entry.data;
  const what = entry.success ? 'the data of its event is not what the type says' : 'no entry';
  add('chain-line-invalid', what, where);
  return undefined;
}

interface Here {
  readonly entry: Entry;
  readonly state: Acquisition;
  /** Leaf hash of the line before. */
  readonly head: string;
  readonly where: string;
}

function checkLink({ entry, state, head, where }: Here, add: Add): void {
  if (entry.acqSeq !== state.version + 1) {
    add('chain-broken', `entry ${entry.acqSeq} follows entry ${state.version}`, where);
  }
  if (entry.acqPrev !== head) {
    add('chain-broken', 'it does not name the hash of the line before it', where);
  }
  const same = state.version === 0 || entry.acq === state.acquisitionId;
  if (!same || entry.event.subject !== entry.acq) {
    add('chain-mixed', 'it belongs to another acquisition', where);
  }
}

/**
 * The seal names how long the chain was and its last hash, so nothing before it can be left out.
 */
function checkSeal({ entry, state, head, where }: Here, add: Add): void {
  if (entry.event.type !== 'acquisition.sealed.v1') return;
  const { entries, lastEntry } = entry.event.data;
  if (entries !== state.version || lastEntry !== head) {
    add('seal-mismatch', 'the seal names another length or another last hash', where);
  }
}

/**
 * The objects that a bag of this acquisition holds: what was sealed, whatever came behind the seal;
 * without one what was captured, else what the last interrupted execution had stored; and the
 * context.
 */
export function exportedObjects(state: Acquisition): readonly EvidenceObject[] {
  if (state.ended?.type === 'acquisition.sealed.v1') {
    return (state.ended.data as AcquisitionSealedV1).objects;
  }
  const captured = state.executions.findLast((one) => one.captured)?.captured?.objects;
  const salvaged = state.executions.findLast((one) => one.failed?.salvaged.length)?.failed
    ?.salvaged;
  return [...(captured ?? salvaged ?? []), ...(state.context?.objects ?? [])];
}

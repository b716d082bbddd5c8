// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { canonical } from '@impound/contracts/canonical.ts';
import { type Acquisition, NO_ACQUISITION, next } from '@impound/contracts/chain.ts';
import { Entry, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';

/** One thing that is wrong with a chain: what, and at which line. */
export interface ChainFinding {
  readonly code:
    | 'chain-line-invalid'
    | 'chain-not-canonical'
    | 'chain-broken'
    | 'chain-mixed'
    | 'chain-unsealed'
    | 'seal-mismatch'
    | 'object-not-sealed';
  readonly what: string;
  readonly where: string;
}

/** What verifying a chain showed: from its own bytes alone, without a signature of the ledger. */
export interface ChainReport {
  readonly ok: boolean;
  readonly findings: readonly ChainFinding[];
  readonly entries: number;
  /** Leaf hash of the last entry. */
  readonly head: string;
  readonly state: Acquisition;
}

const FINDINGS_MAX = 100;

/** SHA-256 of 0x00 and the entry's bytes: a leaf of RFC 6962, section 2.1. */
export function leafHash(bytes: Uint8Array): string {
  return createHash('sha256').update(Uint8Array.of(0)).update(bytes).digest('hex');
}

/**
 * Checks a chain line by line: each line is one entry in canonical JSON, names the leaf hash of the
 * line before it, counts on from it, and belongs to the same acquisition; and the seal fits.
 */
export async function verifyChain(lines: AsyncIterable<string>): Promise<ChainReport> {
  const findings: ChainFinding[] = [];
  const add = (code: ChainFinding['code'], what: string, where: string) => {
    if (findings.length < FINDINGS_MAX) findings.push({ code, what, where });
  };
  let state = NO_ACQUISITION;
  let head = NO_PREVIOUS;
  let line = 0;
  for await (const text of lines) {
    line += 1;
    const where = `chain.jsonl, line ${line}`;
    const entry = readEntry(text, where, add);
    if (entry === undefined) break;
    checkLink({ entry, state, head, where }, add);
    checkSeal({ entry, state, head, where }, add);
    state = next(state, entry);
    head = leafHash(Buffer.from(text, 'utf8'));
  }
  if (state.ended === undefined) {
    add('chain-unsealed', 'the acquisition has not ended: the chain can still grow', 'chain.jsonl');
  }
  return { ok: findings.length === 0, findings, entries: line, head, state };
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
  if (entry.success) return entry.data;
  add('chain-line-invalid', 'no entry of a ledger', where);
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

/** Every object that the chain vouches for: of the context, of captures, of what was salvaged. */
export function objectsOf(state: Acquisition): readonly EvidenceObject[] {
  const all = [
    ...(state.target?.context.objects ?? []),
    ...state.executions.flatMap(({ captured, failed }) => [
      ...(captured?.objects ?? []),
      ...(failed?.salvaged ?? []),
    ]),
  ];
  return [...new Map(all.map((object) => [object.key, object])).values()];
}

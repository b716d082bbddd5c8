// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { endsAcquisition } from '@impound/contracts/chain.ts';
import { Entry, NO_PREVIOUS } from '@impound/contracts/entry.ts';

/** One row of the ledger, as the database has it. */
export interface Row {
  readonly idx: number;
  /** Lower-case hex. */
  readonly leaf: string;
  readonly entry: Uint8Array;
}

/** The whole log, held against what it promises. */
export interface JudgedLog {
  readonly chains: ReadonlyMap<string, readonly Entry[]>;
  /** How many acquisitions ended in which way. */
  readonly ends: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
}

/** Reads every entry again: no gap, no fork, no event twice, every accepted request ended once. */
export function judgeLog(rows: readonly Row[], accepted: ReadonlySet<string>): JudgedLog {
  const chains = new Map<string, Entry[]>();
  const seen = { leaves: new Map<string, string>(), ids: new Set<string>() };
  const findings = rows.flatMap((row, at) => {
    if (row.entry.length === SEAL_LEAF_BYTES) return judgeSealLeaf(rows, at);
    const entry = Entry.parse(JSON.parse(Buffer.from(row.entry).toString('utf8')));
    const chain = chains.get(entry.acq) ?? [];
    chains.set(entry.acq, chain);
    chain.push(entry);
    const faults = judgeEntry(entry, { row, at, length: chain.length, seen });
    return faults.map((fault) => `${entry.acq} ${entry.acqSeq} ${entry.event.type}: ${fault}`);
  });
  // What the log says of itself is no acquisition.
  for (const [id, [first]] of chains) if (first?.event.type === LOG_BEGAN) chains.delete(id);
  for (const id of accepted) {
    if (!chains.has(id)) findings.push(`${id}: was accepted and is not on record`);
  }
  for (const chain of chains.values()) findings.push(...judgeChain(chain));
  return { chains, ends: endsOf(chains), findings };
}

const LOG_BEGAN = 'log.began.v1';
/** What stands in the log for a seal and is no entry. */
const SEAL_LEAF_BYTES = 128;

function judgeSealLeaf(rows: readonly Row[], at: number): string[] {
  const [row, before] = [rows[at] as Row, rows[at - 1]];
  const isSeal = Buffer.from(before?.entry ?? '').includes('"type":"acquisition.sealed.v1"');
  const faults = [
    row.idx === at ? undefined : `leaf ${row.idx} where ${at} should be`,
    row.leaf === leafOf(row.entry) ? undefined : `leaf ${at}: its bytes have another hash`,
    isSeal ? undefined : `leaf ${at} follows no seal`,
  ];
  return faults.filter((fault) => fault !== undefined);
}

function leafOf(entry: Uint8Array): string {
  return createHash('sha256').update('\0').update(entry).digest('hex');
}

/** Where an entry should stand, and what came before it. */
interface Before {
  readonly row: Row;
  /** Its place in the log and in its chain, counted anew. */
  readonly at: number;
  readonly length: number;
  readonly seen: { readonly leaves: Map<string, string>; readonly ids: Set<string> };
}

function judgeEntry({ acq, acqSeq, acqPrev, event }: Entry, before: Before): string[] {
  const { row, at, length, seen } = before;
  const hash = leafOf(row.entry);
  const previous = seen.leaves.get(acq) ?? NO_PREVIOUS;
  const faults = [
    row.idx === at ? undefined : `index ${row.idx} where ${at} should be`,
    row.leaf === hash ? undefined : 'its bytes have another hash',
    acqSeq === length ? undefined : `is entry ${length} of its chain`,
    acqPrev === previous ? undefined : 'does not name the hash of the one before',
    seen.ids.has(event.id) ? `event ${event.id} is there twice` : undefined,
  ];
  seen.ids.add(event.id);
  seen.leaves.set(acq, hash);
  return faults.filter((fault) => fault !== undefined);
}

function endsOf(chains: ReadonlyMap<string, readonly Entry[]>): Record<string, number> {
  const ends: Record<string, number> = {};
  for (const chain of chains.values()) {
    const type = chain.find(({ event }) => endsAcquisition(event.type))?.event.type ?? 'open';
    ends[type] = (ends[type] ?? 0) + 1;
  }
  return ends;
}

function judgeChain(chain: readonly Entry[]): string[] {
  const acq = chain[0]?.acq ?? '';
  const types = chain.map(({ event }) => event.type);
  const ends = types.filter(endsAcquisition);
  const findings = judgeEpochs(chain);
  if (types[0] !== 'acquisition.requested.v1') findings.push(`${acq}: begins with ${types[0]}`);
  if (ends.length !== 1) findings.push(`${acq}: has ${ends.length} ends: ${types.join(', ')}`);
  if (types.includes('conflict.noticed.v1')) {
    findings.push(`${acq}: an event was said twice with different contents: ${types.join(', ')}`);
  }
  const end = chain.find(({ event }) => endsAcquisition(event.type));
  const because = end?.event.data['because'];
  if (end !== undefined && end.event.type !== 'acquisition.sealed.v1' && !because) {
    findings.push(`${acq}: ${end.event.type} gives no reason`);
  }
  return findings;
}

/** One holder per epoch, and nobody else's result under it. */
function judgeEpochs(chain: readonly Entry[]): string[] {
  const holders = new Map<unknown, unknown>();
  const findings: string[] = [];
  for (const { acq, event } of chain) {
    const { epoch, worker } = event.data;
    if (event.type === 'execution.started.v1') {
      if (holders.has(epoch)) findings.push(`${acq}: epoch ${epoch} was claimed twice`);
      holders.set(epoch, worker);
    }
    const isResult = ['execution.failed.v1', 'evidence.captured.v1'].includes(event.type);
    if (isResult && holders.get(epoch) !== worker) {
      findings.push(`${acq}: ${event.type} by ${worker}, epoch ${epoch} is another's`);
    }
  }
  return findings;
}

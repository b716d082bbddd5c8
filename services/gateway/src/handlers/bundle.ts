// SPDX-License-Identifier: Apache-2.0
import { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import { bundleBytes, type EntryBundle, TILE_WIDTH } from '@impound/transparency/tile.ts';
import type { Caller } from '../domain/caller.ts';
import { Refusal } from '../domain/problem.ts';
import { type AuditDeps, onChain, permitted } from './audit.ts';
import { reach } from './reach.ts';

/** Who wants which entries of the log, all of them, and what for. */
export interface BundleWanted {
  readonly caller: Caller;
  readonly bundle: EntryBundle;
  readonly purpose: string;
}

/**
 * An entry bundle (C2SP tlog-tiles) for an auditor, on record before it leaves. It is given whole
 * or not at all: where it holds an entry of another tenant there is none. Throws Refusal.
 */
export async function readBundle(
  { caller, bundle, purpose }: BundleWanted,
  deps: AuditDeps,
  signal: AbortSignal,
): Promise<Buffer> {
  const filter = {};
  const policy = await permitted({ caller, filter, purpose }, deps, signal);
  const after = bundle.n * TILE_WIDTH - 1;
  const { size, entries } = await gathered(caller, bundle, deps, signal);
  const read = { caller, filter, purpose, policy, after, size, entries: entries.length };
  await onChain(read, deps, signal);
  return bundleBytes(entries);
}

interface Gathered {
  readonly size: number;
  readonly entries: readonly Buffer[];
}

/** As many questions as it takes: a bundle is larger than what the bus carries at once. */
async function gathered(
  { tenant }: Caller,
  { n, width }: EntryBundle,
  { ask }: AuditDeps,
  signal: AbortSignal,
): Promise<Gathered> {
  const first = n * TILE_WIDTH;
  const entries: Buffer[] = [];
  let size: number;
  do {
    const next = first + entries.length;
    const limit = width - entries.length;
    const of = { tenant, filter: {}, withLog: true, after: next - 1, limit };
    const page = await reach(ask(LedgerAuditV1, of, signal));
    size = page.size;
    if (size < first + width) throw new Refusal('not-found', 'the log is not that long yet');
    const whole = page.entries.filter(({ seq }, at) => seq === next + at);
    entries.push(...whole.map(({ text }) => Buffer.from(text)));
    if (whole.length < Math.max(1, page.entries.length)) throw anothers(next + whole.length);
  } while (entries.length < width);
  return { size, entries };
}

function anothers(index: number): Refusal {
  const advice = 'a bundle is given whole or not at all: GET /v1/audit has the entries of yours';
  return new Refusal('forbidden', `entry ${index} belongs to another tenant; ${advice}`);
}

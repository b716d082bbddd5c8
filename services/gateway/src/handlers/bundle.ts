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
 * or not at all: where it holds an entry of another tenant only who audits all of them is given it.
 * Throws Refusal.
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
  const allTenants = caller.integration.mayAuditAllTenants;
  const given = { after, size, entries: entries.length, ...(allTenants && { allTenants }) };
  const read = { caller, filter, purpose, policy, ...given };
  await onChain(read, deps, signal);
  return bundleBytes(entries);
}

interface Gathered {
  readonly size: number;
  readonly entries: readonly Buffer[];
}

/** As many questions as it takes: a bundle is larger than what the bus carries at once. */
async function gathered(
  { tenant, integration }: Caller,
  { n, width }: EntryBundle,
  { ask }: AuditDeps,
  signal: AbortSignal,
): Promise<Gathered> {
  const first = n * TILE_WIDTH;
  const allTenants = integration.mayAuditAllTenants;
  const entries: Buffer[] = [];
  let size: number;
  do {
    const next = first + entries.length;
    const limit = width - entries.length;
    const of = { tenant, allTenants, filter: {}, withLog: true, after: next - 1, limit };
    const page = await reach(ask(LedgerAuditV1, of, signal));
    size = page.size;
    if (size < first + width) throw new Refusal('not-found', 'the log is not that long yet');
    const whole = page.entries.filter(({ seq }, at) => seq === next + at);
    entries.push(...whole.map(bytesOf));
    if (whole.length < Math.max(1, page.entries.length)) throw anothers(next + whole.length);
  } while (entries.length < width);
  return { size, entries };
}

function bytesOf({ text, bytes }: { readonly text: string; readonly bytes?: string | undefined }) {
  return bytes === undefined ? Buffer.from(text) : Buffer.from(bytes, 'base64');
}

function anothers(index: number): Refusal {
  const advice = 'a bundle is given whole or not at all: GET /v1/audit has the entries of yours';
  return new Refusal('forbidden', `entry ${index} belongs to another tenant; ${advice}`);
}

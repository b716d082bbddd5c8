// SPDX-License-Identifier: Apache-2.0
import { LedgerHistoryV1 } from '@impound/contracts/ask/ledger.history.v1.ts';
import { type Acquisition, NO_ACQUISITION, next } from '@impound/contracts/chain.ts';
import { Entry } from '@impound/contracts/entry.ts';
import { AcquisitionId, type Tenant } from '@impound/contracts/ids.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { Refusal } from '../domain/problem.ts';
import { reach } from './reach.ts';

/** One chain of one tenant. */
export interface ChainOf {
  readonly tenant: Tenant;
  readonly acquisitionId: AcquisitionId;
}

/** One entry, and the exact text that was hashed. */
export interface Recorded {
  readonly entry: Entry;
  readonly text: string;
}

/** The entries of a chain after a version, page by page; none where there is no such chain. */
export async function* entriesOf(
  of: ChainOf,
  from: { readonly ask: Ask; readonly after: number },
  signal: AbortSignal,
): AsyncGenerator<Recorded> {
  let { after } = from;
  for (;;) {
    const asked = { tenant: of.tenant, acquisitionId: of.acquisitionId, after };
    const { version, entries } = await from.ask(LedgerHistoryV1, asked, signal);
    for (const { text } of entries) {
      const entry = Entry.parse(JSON.parse(text));
      after = entry.acqSeq;
      yield { entry, text };
    }
    if (entries.length === 0 || after >= version) return;
  }
}

/** The chain that a path names. Throws Refusal: what is no id names nothing. */
export function chainOf(tenant: Tenant, id: string): ChainOf {
  const acquisitionId = AcquisitionId.safeParse(id);
  if (!acquisitionId.success) throw unknown();
  return { tenant, acquisitionId: acquisitionId.data };
}

/** What is said of an acquisition that is none, or another tenant's. */
export function unknown(): Refusal {
  return new Refusal('not-found', 'there is no such acquisition: GET /v1/acquisitions lists them');
}

/** An acquisition as its chain tells it. Another tenant's is as unknown as one that is none. */
export async function acquisitionOf(
  of: ChainOf,
  ask: Ask,
  signal: AbortSignal,
): Promise<Acquisition> {
  const state = await reach(folded(of, ask, signal));
  if (state.version === 0 || state.tenant !== of.tenant) throw unknown();
  return state;
}

async function folded(of: ChainOf, ask: Ask, signal: AbortSignal): Promise<Acquisition> {
  let state = NO_ACQUISITION;
  for await (const { entry } of entriesOf(of, { ask, after: 0 }, signal))
    state = next(state, entry);
  return state;
}

// SPDX-License-Identifier: Apache-2.0
import { DiscoveryListV1 } from '@impound/contracts/ask/discovery.list.v1.ts';
import { LedgerListV1 } from '@impound/contracts/ask/ledger.list.v1.ts';
import type { CaseId } from '@impound/contracts/ids.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { linksOf, viewOf } from '../domain/acquisition-view.ts';
import type { Caller } from '../domain/caller.ts';
import { Refusal } from '../domain/problem.ts';
import { acquisitionOf, chainOf, entriesOf } from './chain-read.ts';
import { reach } from './reach.ts';

interface Deps {
  readonly ask: Ask;
}

/** Lists a tenant's acquisitions, newest first; `next` is the `before` of the page after. */
export function listAcquisitions({ ask }: Deps, signal: AbortSignal) {
  return async (
    { tenant }: Caller,
    page: { case?: CaseId | undefined; before?: number | undefined; limit: number },
  ): Promise<object> => {
    const { case: caseId, before, limit } = page;
    const asked = {
      tenant,
      limit,
      ...(caseId === undefined ? {} : { caseId }),
      ...(before === undefined ? {} : { before }),
    };
    const { acquisitions } = await reach(ask(LedgerListV1, asked, signal));
    const next = acquisitions.length < limit ? undefined : acquisitions.at(-1)?.seq;
    const items = acquisitions.map(({ seq: _, ended, ...one }) => ({
      ...one,
      status: ended?.split('.')[1] ?? 'open',
      links: linksOf(one.acquisitionId),
    }));
    return { acquisitions: items, next };
  };
}

/** Shows one acquisition, folded from its chain. */
export function viewAcquisition({ ask }: Deps, signal: AbortSignal) {
  return async ({ tenant }: Caller, id: string): Promise<object> =>
    viewOf(await acquisitionOf(chainOf(tenant, id), ask, signal));
}

/** Gives a chain entry by entry, as the exact texts that were hashed. */
export function textsOf({ ask }: Deps, signal: AbortSignal) {
  return async ({ tenant }: Caller, id: string): Promise<AsyncIterable<string>> => {
    const of = chainOf(tenant, id);
    await acquisitionOf(of, ask, signal);
    return (async function* () {
      for await (const { text } of entriesOf(of, { ask, after: 0 }, signal)) yield text;
    })();
  };
}

/** Lists what there is to acquire, as discovery sees it, where the caller may acquire. */
export function lookAround({ ask }: Deps, signal: AbortSignal) {
  return async ({ tenant, integration }: Caller, look: Looked): Promise<object> => {
    const { cluster, namespace } = look;
    refuseForeign('cluster', integration.clusters, cluster);
    refuseForeign('namespace', integration.namespaces, namespace);
    const { items, gaps } = await reach(ask(DiscoveryListV1, { tenant, ...look }, signal));
    const own = { cluster: integration.clusters, namespace: integration.namespaces };
    return {
      items: items.filter(({ kind, name }) => kind === 'container' || has(own[kind], name)),
      gaps,
    };
  };
}

interface Looked {
  readonly cluster?: string;
  readonly namespace?: string;
  readonly limit: number;
}

function has(own: readonly string[], name: string): boolean {
  return own.includes('*') || own.includes(name);
}

function refuseForeign(what: string, own: readonly string[], name: string | undefined): void {
  if (name === undefined || has(own, name)) return;
  throw new Refusal('forbidden', `the ${what} is not one of its own: it has ${own.join(', ')}`);
}

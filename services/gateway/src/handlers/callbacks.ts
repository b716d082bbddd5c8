// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import { CallbackFailedV1 } from '@impound/contracts/callback/failed.v1.ts';
import { CallbackRequestedV1 } from '@impound/contracts/callback/requested.v1.ts';
import { NO_ACQUISITION, next } from '@impound/contracts/chain.ts';
import { Entry } from '@impound/contracts/entry.ts';
import { AcquisitionId } from '@impound/contracts/ids.ts';
import type { Integrations } from '@impound/contracts/integration.ts';
import type { PolicyDecision } from '@impound/contracts/policy.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { childId } from '@impound/runtime/ids.ts';
import type { SayNow } from '@impound/runtime/say.ts';
import { callbackFor, type GivenUp, givenUpIn } from '../domain/callback.ts';
import type { Caller } from '../domain/caller.ts';
import { CALLBACKS_MAX } from '../domain/limits.ts';
import { onRecord, type Policies } from '../domain/policy.ts';
import { Refusal } from '../domain/problem.ts';
import { type ChainOf, chainOf, entriesOf, unknown } from './chain-read.ts';
import type { Denials } from './denial.ts';
import { reach, record } from './reach.ts';

interface Deps {
  readonly ask: Ask;
  readonly say: SayNow;
  readonly policies: Policies;
  readonly denials: Denials;
  readonly integrations: { current(): Promise<Integrations> };
}

/** A page of callbacks that are given up; `next` is the `after` of the one behind it. */
export interface CallbackPage {
  readonly callbacks: readonly ({ readonly acquisitionId: string } & GivenUp)[];
  readonly next?: number | undefined;
}

/** The callbacks of a tenant that are given up, oldest first, each by the end of its chain. */
export async function listCallbacks(
  { tenant }: Caller,
  { after }: { readonly after: number },
  deps: Pick<Deps, 'ask'>,
  signal: AbortSignal,
): Promise<CallbackPage> {
  const filter = { type: CallbackFailedV1.type };
  const asked = { tenant, filter, after, limit: CALLBACKS_MAX };
  const page = await reach(deps.ask(LedgerAuditV1, asked, signal));
  const failed = page.entries.map(({ text }) => Entry.parse(JSON.parse(text)));
  const ended = failed.filter(({ event }) => event.data['againAt'] === undefined);
  const ids = new Set(ended.map(({ acq }) => acq));
  const callbacks: CallbackPage['callbacks'][number][] = [];
  for (const id of ids) {
    const acquisitionId = AcquisitionId.parse(id);
    const chain = await read({ tenant, acquisitionId }, deps, signal);
    // One that was given up twice stands where it was given up last.
    const here = new Set(ended.map(({ acq, recordedAt }) => `${acq} ${recordedAt}`));
    const given = givenUpIn(chain).filter(({ at }) => here.has(`${id} ${at}`));
    callbacks.push(...given.map((one) => ({ acquisitionId, ...one })));
  }
  return { callbacks, next: page.next };
}

/** Who wants the callbacks of which acquisition sent again, and why. */
export interface CallingBack {
  readonly caller: Caller;
  readonly acquisitionId: string;
  readonly reason: string;
}

/** Has every callback of an acquisition that is given up sent once more. Throws Refusal. */
export async function sendAgain(
  { caller, acquisitionId, reason }: CallingBack,
  deps: Deps,
  signal: AbortSignal,
): Promise<{ readonly acquisitionId: string; readonly version: number }> {
  const of = chainOf(caller.tenant, acquisitionId);
  const work = async (limit: AbortSignal) => {
    const chain = await read(of, deps, limit);
    if (chain.length === 0) throw unknown();
    const policy = await allow({ caller, chain, of, reason }, deps, limit);
    let version = chain.length;
    const given = givenUpIn(chain);
    refuseUnwanted(chain, given, await deps.integrations.current());
    for (const { about, attempt } of given) {
      const data = { about, attempt: attempt + 1, requestedBy: caller.actor, reason, policy };
      // Two who ask for the same attempt ask once.
      const id = childId(about, CallbackRequestedV1.type, String(attempt));
      const reply = await deps.say({ contract: CallbackRequestedV1, data, id, ...of }, limit);
      if (!reply.ok) throw new Refusal('refused', `the ledger refused it: ${reply.because}`);
      version = reply.version;
    }
    return { acquisitionId: of.acquisitionId, version };
  };
  const again = 'it may have been recorded: the chain tells';
  return await record(work, signal, again);
}

/** A wish that nothing would come of is refused: what is on record is also done. */
function refuseUnwanted(
  chain: readonly Entry[],
  given: readonly GivenUp[],
  { integrations }: Integrations,
): void {
  if (given.length === 0) throw new Refusal('nothing-to-decide', 'no callback of it is given up');
  const request = chain[0]?.event.data as AcquisitionRequestedV1;
  const ids = new Set(given.map(({ about }) => about as string));
  const entries = chain.filter(({ event }) => ids.has(event.id));
  if (entries.every((entry) => callbackFor(entry, integrations, request))) return;
  const detail = `${request.requestedBy.id} is not told of it any more: give it a callback`;
  throw new Refusal('nothing-to-decide', detail);
}

async function allow(
  {
    caller,
    chain,
    of,
    reason,
  }: {
    readonly caller: Caller;
    readonly chain: readonly Entry[];
    readonly of: ChainOf;
    readonly reason: string;
  },
  { policies, denials }: Deps,
  signal: AbortSignal,
): Promise<PolicyDecision> {
  const action = 'call-back';
  const acquisition = chain.reduce(next, NO_ACQUISITION);
  const decided = policies.decide({ action, caller, reason, acquisition });
  if (decided.allowed) return onRecord(decided, 'allowed', caller);
  const policy = onRecord(decided, 'denied', caller);
  return await denials.ofDeed({ of, caller, action, reason, policy }, signal);
}

async function read(
  of: ChainOf,
  { ask }: Pick<Deps, 'ask'>,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const chain: Entry[] = [];
  const all = async () => {
    for await (const { entry } of entriesOf(of, { ask, after: 0 }, signal)) chain.push(entry);
  };
  await reach(all());
  return chain;
}

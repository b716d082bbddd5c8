// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { AcquisitionTriggeredV1 } from '@impound/contracts/acquisition/triggered.v1.ts';
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { AcquisitionId } from '@impound/contracts/ids.ts';
import type { ReplyOf } from '@impound/contracts/question.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { childId } from '@impound/runtime/ids.ts';
import type { SayNow } from '@impound/runtime/say.ts';
import type { Caller } from '../domain/caller.ts';
import { STORM_CHAINS_MAX, TRIGGERS_MAX } from '../domain/limits.ts';
import { Refusal } from '../domain/problem.ts';
import { patiently } from './reach.ts';

/** An order that may be one of a storm. */
export interface Gathering {
  readonly caller: Caller;
  readonly data: AcquisitionRequestedV1;
  readonly eventId: string;
  readonly storm: { readonly now: string; readonly before: string };
  /** Begins a chain with it. */
  readonly begin: (acquisitionId: AcquisitionId) => Promise<SayReply>;
}

interface Deps {
  readonly ask: Ask;
  readonly say: SayNow;
}

/** Where an order was put, and what the ledger says to it. */
export interface Placed {
  readonly acquisitionId: AcquisitionId;
  readonly reply: SayReply;
}

/**
 * Puts an order on the chain that its storm has, or begins it. The id of that chain follows from
 * what is asked for and the window: of many at once, in one gateway or in several, the ledger lets
 * one begin it, and the others find it there. A chain that came to nothing is left for a next one.
 */
export async function gather(of: Gathering, deps: Deps, signal: AbortSignal): Promise<Placed> {
  const { before, now } = of.storm;
  return (
    (await among({ ...of, window: before, begins: false }, deps, signal)) ??
    (await among({ ...of, window: now, begins: true }, deps, signal)) ??
    none()
  );
}

function none(): never {
  throw new Refusal('too-many', 'what is asked for came to nothing too often: wait a little');
}

type Among = Gathering & { readonly window: string; readonly begins: boolean };

/** Looks through the chains of one window; undefined where none takes it and none is begun. */
async function among(of: Among, deps: Deps, signal: AbortSignal): Promise<Placed | undefined> {
  for (let turn = 0; turn < STORM_CHAINS_MAX; ) {
    const acquisitionId = AcquisitionId.parse(childId(of.window, 'acquisition', String(turn)));
    const visited = await visit(of, acquisitionId, deps, signal);
    if (visited === 'next') turn += 1;
    else if (visited !== 'again') return visited;
  }
  return undefined;
}

/** 'next': it came to nothing. 'again': another one was faster, and its chain is there by now. */
async function visit(
  of: Among,
  acquisitionId: AcquisitionId,
  deps: Deps,
  signal: AbortSignal,
): Promise<Placed | undefined | 'next' | 'again'> {
  const at = { caller: of.caller, acquisitionId };
  const head = await headOf(at, deps, signal);
  if (head.version > 0) return gathers(head) ? await trigger(of, at, deps, signal) : 'next';
  if (!of.begins) return undefined;
  const reply = await of.begin(acquisitionId);
  return reply.ok || reply.refusal !== 'conflict' ? { acquisitionId, reply } : 'again';
}

async function trigger(
  { data, eventId }: Gathering,
  { caller, acquisitionId }: { readonly caller: Caller; readonly acquisitionId: AcquisitionId },
  deps: Deps,
  signal: AbortSignal,
): Promise<Placed> {
  const { reason, onBehalfOf, finding, policy, fingerprint = '' } = data;
  const about = {
    triggeredBy: caller.actor,
    reason,
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(finding === undefined ? {} : { finding }),
    policy,
    fingerprint,
  };
  const saying = { contract: AcquisitionTriggeredV1, data: about, id: eventId, acquisitionId };
  return { acquisitionId, reply: await deps.say({ ...saying, tenant: caller.tenant }, signal) };
}

async function headOf(
  { caller, acquisitionId }: { caller: Caller; acquisitionId: AcquisitionId },
  { ask }: Deps,
  signal: AbortSignal,
): Promise<ReplyOf<typeof LedgerHeadV1>> {
  const asked = { tenant: caller.tenant, acquisitionId };
  return await patiently(() => ask(LedgerHeadV1, asked, signal), signal);
}

/** What still runs, or has just brought what is asked for. */
function gathers({ version, stop, ending }: ReplyOf<typeof LedgerHeadV1>): boolean {
  if (stop && ending !== AcquisitionSealedV1.type) return false;
  if (version < TRIGGERS_MAX) return true;
  const detail = 'the acquisition of this container has all the findings that one can hold';
  throw new Refusal('too-many', `${detail}: send it again after the window`);
}

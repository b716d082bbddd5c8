// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { LedgerEntryV1 } from '@impound/contracts/ask/ledger.entry.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import { Entry } from '@impound/contracts/entry.ts';
import { AcquisitionId, type EventId } from '@impound/contracts/ids.ts';
import type { Order } from '@impound/contracts/order.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { childId, newId } from '@impound/runtime/ids.ts';
import type { SayNow } from '@impound/runtime/say.ts';
import { nextTurn } from '@impound/runtime/wait.ts';
import type { Caller } from '../domain/caller.ts';
import { wantedOf } from '../domain/order.ts';
import { judgeRequest, type Policies, type Wanted } from '../domain/policy.ts';
import { Refusal } from '../domain/problem.ts';
import { type Causes, causesOf, gathersNothing, keyOf, ordersOf } from '../domain/storm.ts';
import { type Bounds, tooManyOpen } from './bounds.ts';
import type { Denials } from './denial.ts';
import { gather, type Placed } from './gather.ts';
import { patiently, record } from './reach.ts';

/** An order with who gives it. */
export interface Submission {
  readonly caller: Caller;
  readonly order: Order;
  readonly idempotencyKey?: string | undefined;
}

/** Where an order stands; `repeated` where an earlier request had begun it. */
export interface Submitted {
  readonly acquisitionId: string;
  readonly repeated: boolean;
}

export interface SubmissionDeps {
  readonly ask: Ask;
  readonly say: SayNow;
  readonly now: () => number;
  readonly policies: Policies;
  readonly denials: Denials;
  readonly bounds: Bounds;
}

/**
 * Records an order, and answers after the commit. Throws Refusal. Where nothing may begin for now a
 * repeat is looked for all the same, but no policy is asked: that is most of what an order costs.
 * Else the ledger looks for a repeat while the policies are asked.
 */
export async function submit(
  { caller, order, idempotencyKey }: Submission,
  deps: SubmissionDeps,
  signal: AbortSignal,
): Promise<Submitted> {
  const key = idempotencyKey === undefined ? undefined : checkedKey(idempotencyKey);
  // What is wrong with the order itself is told before anything waits for the ledger.
  const request = wantedOf(order, caller, deps.now());
  const fingerprint = fingerprintOf(order);
  const of = { caller, request, fingerprint, key };
  if (deps.bounds.isFull(caller) && gathersNothing(caller)) {
    const known = await record((limit) => repeated(of, deps, limit), signal);
    if (known !== undefined) return known;
    throw tooManyOpen(caller);
  }
  return await record((limit) => judged(of, deps, limit), signal);
}

/** An order that is looked at, and not allowed yet. */
interface Looking {
  readonly caller: Caller;
  readonly request: Wanted;
  readonly fingerprint: string;
  readonly key: string | undefined;
}

async function judged(of: Looking, deps: SubmissionDeps, signal: AbortSignal): Promise<Submitted> {
  const { caller, request, fingerprint, key } = of;
  const looking = repeated(of, deps, signal);
  // Whoever is denied is told that first, whatever became of the look.
  looking.catch(() => undefined);
  // The question is on the wire before the policies take the processor.
  await nextTurn();
  const policy = judgeRequest(caller, request, deps.policies);
  if (policy.decision === 'denied') {
    return await deps.denials.ofRequest({ caller, request, policy }, signal);
  }
  const data = { ...request, policy, fingerprint };
  return (await looking) ?? (await settle({ caller, data, key }, deps, signal));
}

function checkedKey(header: string): string {
  const key = keyOf(header);
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const message = '1 to 255 visible ASCII characters';
  throw new Refusal('order-refused', `Idempotency-Key: ${message}`, [
    { path: 'Idempotency-Key', message },
  ]);
}

/** By it a repeat is known to be the same order. */
function fingerprintOf(order: Order): string {
  return createHash('sha256').update(canonical(order)).digest('hex');
}

/** An order that is allowed. */
export interface Settling {
  readonly caller: Caller;
  readonly data: AcquisitionRequestedV1;
  readonly key: string | undefined;
}

/**
 * One order is one event, whose id follows from the key or the finding: whichever chain it stands
 * on by now, a repeat finds it there.
 */
async function settle(
  { caller, data, key }: Settling,
  deps: SubmissionDeps,
  signal: AbortSignal,
): Promise<Submitted> {
  const { orders, keyed, storm } = causesOf(caller, { data, key }, deps.now());
  const ids = idsOf(orders);
  const { fingerprint } = data;
  await deps.bounds.takeOrder(caller);
  const [eventId = newId()] = ids;
  const placed = await place({ caller, data, eventId, cause: orders[0], storm }, deps, signal);
  const { acquisitionId, reply } = placed;
  if (!reply.ok) throw new Refusal('refused', `the ledger refused it: ${reply.because}`);
  if (!reply.repeated) return { acquisitionId, repeated: false };
  // Two at once: the other one was first, and tells where it stands.
  const first = await standing({ ids, keyed, caller, fingerprint }, deps, signal);
  return { acquisitionId: first ?? acquisitionId, repeated: true };
}

/** Begins a chain of its own, or finds the one of its storm. */
async function place(
  of: {
    readonly caller: Caller;
    readonly data: AcquisitionRequestedV1;
    readonly eventId: string;
    readonly cause: string | undefined;
    readonly storm: Causes['storm'];
  },
  deps: SubmissionDeps,
  signal: AbortSignal,
): Promise<Placed> {
  const { caller, data, eventId, cause, storm } = of;
  const { tenant } = caller;
  const begin = (acquisitionId: AcquisitionId) => {
    const about = { contract: AcquisitionRequestedV1, data, id: eventId, acquisitionId, tenant };
    return deps.bounds.opening(caller, () => deps.say(about, signal), signal);
  };
  if (storm !== undefined) {
    return await gather({ caller, data, eventId, storm, begin }, deps, signal);
  }
  const own = AcquisitionId.parse(cause === undefined ? newId() : childId(cause, ACQUISITION));
  return { acquisitionId: own, reply: await begin(own) };
}

/** Where an earlier request with the same order stands; undefined where there was none. */
async function repeated(
  { caller, request, fingerprint, key }: Looking,
  deps: SubmissionDeps,
  signal: AbortSignal,
): Promise<Submitted | undefined> {
  const { orders, keyed } = ordersOf(caller, { data: request, key }, deps.now());
  const known = await standing({ ids: idsOf(orders), keyed, caller, fingerprint }, deps, signal);
  return known === undefined ? undefined : { acquisitionId: known, repeated: true };
}

function idsOf(causes: readonly string[]): readonly string[] {
  return causes.map((cause) => childId(cause, ORDER));
}

const ORDER = 'order';
const ACQUISITION = 'acquisition';

/** Where an order is on record. Throws Refusal where another one is, under the same key. */
async function standing(
  of: {
    readonly ids: readonly string[];
    readonly keyed: boolean;
    readonly caller: Caller;
    readonly fingerprint: string | undefined;
  },
  { ask }: SubmissionDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { tenant } = of.caller;
  const asked = of.ids.map((id) =>
    patiently(() => ask(LedgerEntryV1, { tenant, eventId: id as EventId }, signal), signal),
  );
  const found = (await Promise.all(asked)).find(({ text }) => text !== undefined);
  if (found?.text === undefined) return undefined;
  const { event } = Entry.parse(JSON.parse(found.text));
  if (!of.keyed || event.data['fingerprint'] === of.fingerprint) return found.acquisitionId;
  const detail =
    'this Idempotency-Key, or webhook-id, belongs to another order: take a new one for a new order';
  throw new Refusal('key-reused', detail);
}

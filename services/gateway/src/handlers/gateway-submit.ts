// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import type { GatewaySubmitV1 } from '@impound/contracts/ask/gateway.submit.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import { AcquisitionId } from '@impound/contracts/ids.ts';
import type { Order } from '@impound/contracts/order.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { childId, newId } from '@impound/runtime/ids.ts';
import type { SayNow } from '@impound/runtime/say.ts';
import type { Admitted, Caller } from '../domain/caller.ts';
import { wantedOf } from '../domain/order.ts';
import { judgeRequest, type Policies } from '../domain/policy.ts';
import { problemOf, Refusal } from '../domain/problem.ts';
import { type ChainOf, entriesOf } from './chain-read.ts';
import type { Denials } from './denial.ts';
import { patiently, record } from './reach.ts';

/** Who stands behind a token. */
export interface Door {
  /** Throws Refusal for a token that nobody has, and for a caller who comes too often. */
  byToken(token: string, from: 'header'): Promise<Admitted>;
}

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

interface Deps {
  readonly ask: Ask;
  readonly say: SayNow;
  readonly now: () => number;
  readonly policies: Policies;
  readonly denials: Denials;
}

/** Records an order, and answers after the commit. Throws Refusal. */
export async function submit(
  submission: Submission,
  deps: Deps,
  signal: AbortSignal,
): Promise<Submitted> {
  refuseKey(submission.idempotencyKey);
  const { caller, order } = submission;
  // What is wrong with the order itself is told before anything waits for the ledger.
  const request = wantedOf(order, caller, deps.now());
  const policy = judgeRequest(caller, request, deps.policies);
  if (policy.decision === 'denied') {
    return await deps.denials.ofRequest({ caller, request, policy }, signal);
  }
  const data = { ...request, policy, fingerprint: fingerprintOf(order) };
  return await record((limit) => settle(submission, data, deps, limit), signal);
}

function refuseKey(key: string | undefined): void {
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return;
  const message = '1 to 255 visible ASCII characters';
  throw new Refusal('order-refused', `Idempotency-Key: ${message}`, [
    { path: 'Idempotency-Key', message },
  ]);
}

/** By it a repeat is known to be the same order. */
function fingerprintOf(order: Order): string {
  return createHash('sha256').update(canonical(order)).digest('hex');
}

async function settle(
  submission: Submission,
  data: AcquisitionRequestedV1,
  deps: Deps,
  signal: AbortSignal,
): Promise<Submitted> {
  const { caller, idempotencyKey } = submission;
  const ids = idsOf(caller, idempotencyKey);
  const of: ChainOf = { tenant: caller.tenant, acquisitionId: ids.acquisitionId };
  const known = idempotencyKey !== undefined && (await standing({ of, data }, deps, signal));
  if (known) return { acquisitionId: of.acquisitionId, repeated: true };
  const reply = await deps.say(
    { contract: AcquisitionRequestedV1, data, id: ids.eventId, ...of },
    signal,
  );
  if (!reply.ok) throw new Refusal('refused', `the ledger refused it: ${reply.because}`);
  // Two at once with one key: the other one was first, and it must be the same order.
  if (reply.repeated) await standing({ of, data }, deps, signal);
  return { acquisitionId: of.acquisitionId, repeated: reply.repeated };
}

/** With a key the ids follow from tenant, actor and key: a repeat is the same acquisition. */
function idsOf(caller: Caller, key: string | undefined) {
  if (key === undefined) {
    return { acquisitionId: AcquisitionId.parse(newId()), eventId: newId() };
  }
  const cause = JSON.stringify([caller.tenant, caller.actor.kind, caller.actor.id, key]);
  return {
    acquisitionId: AcquisitionId.parse(childId(cause, 'acquisition')),
    eventId: childId(cause, AcquisitionRequestedV1.type),
  };
}

/** True where this order is on record. Throws Refusal where another one is, under the same key. */
async function standing(
  wanted: {
    readonly of: ChainOf;
    readonly data: AcquisitionRequestedV1;
  },
  deps: Deps,
  signal: AbortSignal,
): Promise<boolean> {
  const first = await patiently(async () => {
    const entries = entriesOf(wanted.of, { ask: deps.ask, after: 0 }, signal);
    for await (const { entry } of entries) return entry;
    return undefined;
  }, signal);
  if (first === undefined) return false;
  if (first.event.data['fingerprint'] === wanted.data.fingerprint) return true;
  const detail = 'this Idempotency-Key belongs to another order: take a new key for a new order';
  throw new Refusal('key-reused', detail);
}

/** The NATS door: the same order by the same code. */
export async function gatewaySubmit(
  request: RequestOf<typeof GatewaySubmitV1>,
  deps: Deps & { readonly door: Door },
  signal: AbortSignal,
): Promise<ReplyOf<typeof GatewaySubmitV1>> {
  try {
    const { caller } = await deps.door.byToken(request.token, 'header');
    if (caller.tenant !== request.tenant) {
      throw new Refusal('forbidden', 'the token is of another tenant: name its own');
    }
    const { order, idempotencyKey } = request;
    const { acquisitionId } = await submit({ caller, order, idempotencyKey }, deps, signal);
    return { acquisitionId: AcquisitionId.parse(acquisitionId) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { type, title, status, detail } = problemOf(error);
    return { problem: { type, title, status, detail } };
  }
}

// SPDX-License-Identifier: Apache-2.0
import type { GatewaySubmitV1 } from '@impound/contracts/ask/gateway.submit.v1.ts';
import { AcquisitionId } from '@impound/contracts/ids.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import type { Outsider } from '@impound/runtime/outsider.ts';
import type { Admitted, Caller } from '../domain/caller.ts';
import { problemOf, Refusal } from '../domain/problem.ts';
import { type SubmissionDeps, submit } from './submission.ts';

/** Who stands behind a token or a key. Throws Refusal; also for a caller who comes too often. */
export interface Door {
  byToken(token: string, from: 'header'): Promise<Admitted>;
  byNats(keys: { readonly account?: string; readonly user?: string }): Promise<Admitted>;
}

/** The NATS door: the same order by the same code. */
export async function gatewaySubmit(
  request: RequestOf<typeof GatewaySubmitV1>,
  deps: SubmissionDeps & { readonly door: Door },
  signal: AbortSignal,
  by: Outsider,
): Promise<ReplyOf<typeof GatewaySubmitV1>> {
  try {
    const caller = await admitted(request, deps.door, by);
    const { order, idempotencyKey } = request;
    const { acquisitionId } = await submit({ caller, order, idempotencyKey }, deps, signal);
    return { acquisitionId: AcquisitionId.parse(acquisitionId) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { type, title, status, detail } = problemOf(error);
    return { problem: { type, title, status, detail } };
  }
}

/** A proven key, else a token; and either must be of the account that the server names. */
async function admitted(
  { tenant, token }: RequestOf<typeof GatewaySubmitV1>,
  door: Door,
  { account, user, ...by }: Outsider,
): Promise<Caller> {
  const keys = { ...(account && { account }), ...(user && { user }) };
  if (token === undefined && user === undefined) throw new Refusal('token-refused', UNPROVEN);
  const { caller } = await (token === undefined
    ? door.byNats(keys)
    : door.byToken(token, 'header'));
  if (caller.actor.id !== by.integration || caller.tenant !== by.tenant) {
    throw new Refusal('forbidden', `this is the door of ${by.integration}, and of nobody else`);
  }
  if (tenant === undefined || tenant === caller.tenant) return caller;
  throw new Refusal('forbidden', 'the order is for another tenant: name your own, or none');
}

const UNPROVEN =
  "the word of this nats-server about who asks can be forged: sign the request by the account's " +
  'key, send a token of the integration with it, or update the server to 2.11.15, 2.12.6 or newer';

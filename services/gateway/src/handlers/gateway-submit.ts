// SPDX-License-Identifier: Apache-2.0
import type { GatewaySubmitV1 } from '@impound/contracts/ask/gateway.submit.v1.ts';
import { AcquisitionId } from '@impound/contracts/ids.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import type { Admitted } from '../domain/caller.ts';
import { problemOf, Refusal } from '../domain/problem.ts';
import { type SubmissionDeps, submit } from './submission.ts';

/** Who stands behind a token. */
export interface Door {
  /** Throws Refusal for a token that nobody has, and for a caller who comes too often. */
  byToken(token: string, from: 'header'): Promise<Admitted>;
}

/** The NATS door: the same order by the same code. */
export async function gatewaySubmit(
  request: RequestOf<typeof GatewaySubmitV1>,
  deps: SubmissionDeps & { readonly door: Door },
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

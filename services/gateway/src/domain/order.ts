// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import type { Order } from '@impound/contracts/order.ts';
import { parseTarget, type Target } from '@impound/contracts/target.ts';
import { millisecondsOf, timeOf } from '@impound/contracts/time.ts';
import * as z from 'zod';
import type { Caller } from './caller.ts';
import { FAULTS_MAX } from './limits.ts';
import { type Fault, Refusal } from './problem.ts';

/** Reads a body by its schema. Throws Refusal that names all faults by their paths. */
export function readBody<Shape extends z.ZodType>(shape: Shape, value: unknown): z.output<Shape> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw faulty(faultsOf(parsed.error));
}

function faultsOf(error: z.ZodError): Fault[] {
  return error.issues.slice(0, FAULTS_MAX).map(({ path, message }) => ({
    path: path.map(String).join('.'),
    message: message.slice(0, MESSAGE_CHARACTERS_MAX),
  }));
}

const MESSAGE_CHARACTERS_MAX = 256;

function faulty(faults: readonly Fault[]): Refusal {
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more, see errors)` : '';
  const detail = `${first?.path || 'the body'}: ${first?.message}${more}`;
  return new Refusal('order-refused', detail, faults);
}

function targetOf(uri: string): Target {
  try {
    return parseTarget(uri);
  } catch (error) {
    if (error instanceof z.ZodError) {
      throw faulty(faultsOf(error).map((one) => ({ ...one, path: `target.${one.path}` })));
    }
    const message = 'a target reads kubernetes://<cluster>/<namespace>/<pod>[/<container>]';
    throw faulty([{ path: 'target', message }]);
  }
}

/** The event that an order becomes. Throws Refusal where its target is none. */
export function requestOf(order: Order, caller: Caller, nowMs: number): AcquisitionRequestedV1 {
  const { caseId, profile, paths, methods, reason, onBehalfOf, budget } = order;
  return {
    caseId,
    target: targetOf(order.target),
    profile,
    paths,
    ...(methods === undefined ? {} : { methods }),
    reason,
    requestedBy: caller.actor,
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    policy: policyOf(caller),
    deadline: timeOf(nowMs + order.deadlineSeconds * SECOND_MS),
    budget: {
      bytesMax: budget.bytesMax ?? caller.integration.budget.bytesMax,
      secondsMax: budget.secondsMax ?? caller.integration.budget.secondsMax,
    },
  };
}

const SECOND_MS = 1_000;

function policyOf({ actor, integration: { approval } }: Caller): AcquisitionRequestedV1['policy'] {
  const who = `${actor.kind} ${actor.id}`.slice(0, MESSAGE_CHARACTERS_MAX);
  return approval === 'never'
    ? { decision: 'allowed', because: `${who} may acquire without a second person` }
    : { decision: 'approval-required', because: `what ${who} asks for needs a second person` };
}

/** What of a recorded request is compared: all but who decided and when it ends. */
type Compared = Omit<AcquisitionRequestedV1, 'policy' | 'deadline'>;

/**
 * Whether a recorded request is what this order asks for. The deadline counts as the seconds from
 * the saying on, so that a repeat is the same order.
 */
export function sameRequest(recorded: Envelope, order: Order, wanted: AcquisitionRequestedV1) {
  const first = recorded.data as AcquisitionRequestedV1;
  const seconds = (millisecondsOf(first.deadline) - millisecondsOf(recorded.time)) / SECOND_MS;
  return comparable(first, Math.round(seconds)) === comparable(wanted, order.deadlineSeconds);
}

function comparable(request: AcquisitionRequestedV1, deadlineSeconds: number): string {
  const { policy: _policy, deadline: _deadline, ...rest } = request;
  return canonical({ request: rest satisfies Compared, deadlineSeconds });
}

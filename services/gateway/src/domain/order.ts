// SPDX-License-Identifier: Apache-2.0
import type { Order } from '@impound/contracts/order.ts';
import { parseTarget, type Target } from '@impound/contracts/target.ts';
import { timeOf } from '@impound/contracts/time.ts';
import * as z from 'zod';
import type { Caller } from './caller.ts';
import { FAULTS_MAX } from './limits.ts';
import type { Wanted } from './policy.ts';
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

const FORM = 'a target reads kubernetes://<cluster>/<namespace>/<pod>[/<container>]';

function targetOf(uri: string): Target {
  try {
    return parseTarget(uri);
  } catch (error) {
    if (error instanceof z.ZodError) {
      const within = (path: string) => (path === '' ? 'target' : `target.${path}`);
      throw faulty(faultsOf(error).map((one) => ({ ...one, path: within(one.path) })));
    }
    // What cannot be decoded says no more than that.
    const message = error instanceof TypeError ? error.message : FORM;
    throw faulty([{ path: 'target', message }]);
  }
}

/** What an order asks for, before anything is decided. Throws Refusal where its target is none. */
export function wantedOf(order: Order, { actor, integration }: Caller, nowMs: number): Wanted {
  const { caseId, profile, paths, reason, onBehalfOf, finding, budget } = order;
  // Where the order leaves it open, the executor is to try nothing that the integration may not.
  const methods = order.methods ?? integration.methods;
  return {
    caseId,
    target: targetOf(order.target),
    profile,
    paths,
    ...(methods === undefined ? {} : { methods }),
    reason,
    requestedBy: actor,
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(finding === undefined ? {} : { finding }),
    deadline: timeOf(nowMs + order.deadlineSeconds * SECOND_MS),
    budget: {
      bytesMax: budget.bytesMax ?? integration.budget.bytesMax,
      secondsMax: budget.secondsMax ?? integration.budget.secondsMax,
    },
  };
}

const SECOND_MS = 1_000;

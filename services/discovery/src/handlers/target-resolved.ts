// SPDX-License-Identifier: Apache-2.0
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import type { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import type { FoundTarget } from '@impound/contracts/target.ts';
import { Never } from '@impound/runtime/fault.ts';
import type { Message } from '@impound/runtime/message.ts';
import { type Said, say } from '@impound/runtime/say.ts';
import type { GivenUp } from '@impound/runtime/service.ts';

/** Takes what the API server knows of a pod and stores it as evidence. */
export interface Context {
  capture(of: ContextOf, signal: AbortSignal): Promise<ContextCapturedV1>;
}

export interface ContextOf {
  readonly tenant: string;
  readonly acquisitionId: string;
  readonly caseId: string;
  readonly target: FoundTarget;
  readonly podUid: string;
}

/** Captures the context of a container that was found; nothing where the chain has ended by now. */
export async function targetResolved(
  message: Message<typeof TargetResolvedV1>,
  deps: { readonly context: Context },
  signal: AbortSignal,
): Promise<Said<typeof ContextCapturedV1> | undefined> {
  const { tenant, acquisitionId } = message;
  const { caseId, target, container } = message.data;
  const of = { tenant, acquisitionId, caseId, target, podUid: container.podUid };
  try {
    return say(ContextCapturedV1, await deps.context.capture(of, signal));
  } catch (error) {
    if (error instanceof Never && error.code === 'acquisition-ended') return undefined;
    throw error;
  }
}

const GAP_CHARACTERS_MAX = 512;

/** A context that could not be stored is one gap, so that nobody waits for it. */
export function contextUncaptured(
  _message: Message<typeof TargetResolvedV1>,
  fault: GivenUp,
): Said<typeof ContextCapturedV1> {
  const gap = `all of it, ${fault.code}: ${fault.because}`.slice(0, GAP_CHARACTERS_MAX);
  return say(ContextCapturedV1, { objects: [], gaps: [gap] });
}

// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import type { Target } from '@impound/contracts/target.ts';
import { Never } from '@impound/runtime/fault.ts';
import type { Message } from '@impound/runtime/message.ts';
import { type Said, say } from '@impound/runtime/say.ts';
import type { GivenUp } from '@impound/runtime/service.ts';
import {
  describe,
  foundTarget,
  isAmbiguity,
  onlyContainer,
  onlyPod,
  type PodFacts,
} from '../domain/pod.ts';

/** Finds pods by a target's name or selector. Throws Never in the codes of target.missing. */
export interface Pods {
  fitting(target: Target, signal: AbortSignal): Promise<readonly PodFacts[]>;
}

type Outcome = Said<typeof TargetResolvedV1 | typeof TargetMissingV1>;

/** Finds the container that is meant. Nobody waits for its context: that is captured when heard. */
export async function acquisitionRequested(
  message: Message<typeof AcquisitionRequestedV1>,
  deps: { readonly pods: Pods },
  signal: AbortSignal,
): Promise<Outcome> {
  const { target, caseId } = message.data;
  const pod = onlyPod(target, await deps.pods.fitting(target, signal));
  if (isAmbiguity(pod)) return say(TargetMissingV1, pod);
  const container = onlyContainer(target, pod);
  if (isAmbiguity(container)) return say(TargetMissingV1, container);
  return say(TargetResolvedV1, {
    caseId,
    target: foundTarget(target, pod, container),
    container: describe(pod, container),
  });
}

const CODES = TargetMissingV1.shape.shape.code;

/** A target that could not be looked for is missing for a reason. */
export function targetUnfound(
  _message: Message<typeof AcquisitionRequestedV1>,
  fault: GivenUp,
): Said<typeof TargetMissingV1> {
  const code = CODES.safeParse(fault.code);
  return say(TargetMissingV1, {
    code: code.success ? code.data : 'cluster-unreachable',
    because: fault.because,
  });
}

/** Refuses in the words of target.missing. */
export function missing(code: TargetMissingV1['code'], because: string, cause: unknown): Never {
  return new Never(code, because, { cause });
}

// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import type { Target } from '@impound/contracts/target.ts';
import { becauseOf, Never } from '@impound/runtime/fault.ts';
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
  /** The name of the account that looks; undefined where the cluster does not say. */
  account(cluster: string, signal: AbortSignal): Promise<string | undefined>;
}

type Outcome = Said<typeof TargetResolvedV1 | typeof TargetMissingV1>;

/** Finds the container that is meant. Nobody waits for its context: that is captured when heard. */
export async function acquisitionRequested(
  message: Message<typeof AcquisitionRequestedV1>,
  deps: { readonly pods: Pods },
  signal: AbortSignal,
): Promise<Outcome> {
  const { target, caseId } = message.data;
  const fitting = await deps.pods.fitting(target, signal).catch(refusal);
  if (fitting instanceof Never) {
    const account = await deps.pods.account(target.cluster, signal);
    return withheld(target, account, fitting);
  }
  const pod = onlyPod(target, fitting);
  if (isAmbiguity(pod)) return say(TargetMissingV1, pod);
  const container = onlyContainer(target, pod);
  if (isAmbiguity(container)) return say(TargetMissingV1, container);
  return say(TargetResolvedV1, {
    caseId,
    target: foundTarget(target, pod, container),
    container: describe(pod, container),
  });
}

/** What lacks a right is told with who lacks it; every other fault is the runtime's to judge. */
function refusal(error: unknown): Never {
  if (error instanceof Never && error.code === 'forbidden') return error;
  throw error;
}

function withheld(target: Target, account: string | undefined, refused: Never): Outcome {
  return say(TargetMissingV1, {
    code: 'forbidden',
    because: becauseOf(refused),
    withheld: { target, ...(account === undefined ? {} : { account }) },
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

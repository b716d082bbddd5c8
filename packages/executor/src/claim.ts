// SPDX-License-Identifier: Apache-2.0
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import type { WorkerId } from '@impound/contracts/ids.ts';
import { type Said, say } from '@impound/runtime/say.ts';
import { type Assignment, collectorFacts } from './collect.ts';

/** The claim: on record before the first byte is sent, with the digest of what will run. */
export function claim(message: Assignment, worker: WorkerId): Said<typeof ExecutionStartedV1> {
  const { epoch, executor, method } = message.data;
  return say(ExecutionStartedV1, {
    epoch,
    executor,
    worker,
    method,
    collector: collectorFacts(),
  });
}

// SPDX-License-Identifier: Apache-2.0
// Stands in for discovery where there are more targets than a machine has room for.
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { FoundTarget } from '@impound/contracts/target.ts';
import type { Message } from '@impound/runtime/message.ts';
import { run } from '@impound/runtime/run.ts';
import { say } from '@impound/runtime/say.ts';
import { on, service } from '@impound/runtime/service.ts';
import * as z from 'zod';

/** Finds whatever is asked for. */
async function found({ data }: Message<typeof AcquisitionRequestedV1>) {
  const { container } = TargetResolvedV1.shape.parse(TargetResolvedV1.example);
  const { caseId } = data;
  return say(TargetResolvedV1, { caseId, target: FoundTarget.parse(data.target), container });
}

/** Keeps no context of it. */
async function captured() {
  return say(ContextCapturedV1, { objects: [], gaps: ['no cluster stands behind this drill'] });
}

await run(
  service({
    name: 'discovery',
    config: z.object({}),
    open: async () => ({}),
    says: [TargetResolvedV1, TargetMissingV1, ContextCapturedV1],
    hears: [on(AcquisitionRequestedV1, found), on(TargetResolvedV1, captured)],
    answers: [],
  }),
);

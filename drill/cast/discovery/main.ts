// SPDX-License-Identifier: Apache-2.0
// Stands in for discovery where there are more targets than a machine has room for.
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { FoundTarget } from '@impound/contracts/target.ts';
import type { Message } from '@impound/runtime/message.ts';
import { run } from '@impound/runtime/run.ts';
import { say } from '@impound/runtime/say.ts';
import { on, service } from '@impound/runtime/service.ts';
import * as z from 'zod';

/** Finds whatever is asked for, and keeps no context of it. */
async function found({ data }: Message<typeof AcquisitionRequestedV1>) {
  const { container } = TargetResolvedV1.shape.parse(TargetResolvedV1.example);
  const target = FoundTarget.parse(data.target);
  const context = { objects: [], gaps: ['no cluster stands behind this drill'] };
  return say(TargetResolvedV1, { target, container, context });
}

await run(
  service({
    name: 'discovery',
    config: z.object({}),
    open: async () => ({}),
    says: [TargetResolvedV1, TargetMissingV1],
    hears: [on(AcquisitionRequestedV1, found)],
    answers: [],
  }),
);

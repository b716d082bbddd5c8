// SPDX-License-Identifier: Apache-2.0
// Stands in for the rbac-checker where there is no cluster that could be asked.
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { run } from '@impound/runtime/run.ts';
import { type Said, say } from '@impound/runtime/say.ts';
import { on, service } from '@impound/runtime/service.ts';
import * as z from 'zod';

/** One rung, which works. */
async function allowed() {
  const because = 'no cluster stands behind this drill';
  const rung = { method: 'exec-stream', executor: 'kubernetes', verdict: 'allowed' } as const;
  return say(AccessCheckedV1, { ladder: [{ ...rung, because }] });
}

/** There is nobody to ask. */
async function unasked(): Promise<Said<never> | undefined> {
  return undefined;
}

await run(
  service({
    name: 'rbac-checker',
    config: z.object({}),
    open: async () => ({}),
    says: [AccessCheckedV1],
    hears: [
      on(AcquisitionRequestedV1, unasked),
      on(TargetResolvedV1, allowed),
      on(TargetMissingV1, unasked),
    ],
    answers: [],
  }),
);

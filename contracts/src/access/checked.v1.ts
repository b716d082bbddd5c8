// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { text } from '../ids.ts';
import { Executor, Method, Verdict } from '../methods.ts';

/** The ladder: each method, whether it can work, and one plain sentence why. Said by
 * rbac-checker, heard by coordinator, which goes down it from the top. */
export const AccessCheckedV1 = event({
  type: 'access.checked.v1',
  route: () => '_',
  shape: z.object({
    ladder: z
      .array(z.object({ method: Method, executor: Executor, verdict: Verdict, because: text(512) }))
      .max(16),
    /** The RBAC manifest (YAML) that would grant exactly what is missing. */
    grant: text(16_384).optional(),
  }),
  example: {
    ladder: [
      {
        method: 'exec-stream',
        executor: 'kubernetes',
        verdict: 'denied',
        because: 'create pods/exec is not granted in namespace shop',
      },
    ],
  },
});
export type AccessCheckedV1 = DataOf<typeof AccessCheckedV1>;

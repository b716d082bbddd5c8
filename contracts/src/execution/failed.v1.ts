// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { EvidenceObject, Footprint } from '../evidence.ts';
import { Code, Epoch, text, WorkerId } from '../ids.ts';
import { Statement } from '../statement.ts';

/** An execution ended without a capture. Said by an executor, heard by coordinator, which goes to
 * the next rung where it is permanent. */
export const ExecutionFailedV1 = event({
  type: 'execution.failed.v1',
  route: () => '_',
  signs: ({ salvaged }) => salvaged,
  fence: 'result',
  shape: z.object({
    epoch: Epoch,
    worker: WorkerId,
    code: Code,
    /** True where trying the same again cannot help. */
    permanent: z.boolean(),
    because: text(1_024),
    footprint: Footprint,
    /** What was stored before the end: kept, and not the whole. */
    salvaged: z.array(EvidenceObject).max(8),
    statement: Statement.optional(),
  }),
  example: {
    epoch: 1,
    worker: 'k8s-1-7f3a',
    code: 'no-shell',
    permanent: true,
    because: 'the container has no sh: a distroless image',
    footprint: {
      touched: true,
      processesStarted: 0,
      filesRead: 0,
      filesWritten: 0,
      bytesSent: 0,
      bytesReceived: 0,
      notes: [],
    },
    salvaged: [],
  },
});
export type ExecutionFailedV1 = DataOf<typeof ExecutionFailedV1>;

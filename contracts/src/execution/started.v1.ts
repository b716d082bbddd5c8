// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { Collector } from '../evidence.ts';
import { Epoch, WorkerId } from '../ids.ts';
import { Executor, Method } from '../methods.ts';
import { Statement } from '../statement.ts';

/** The claim: this worker alone works under this epoch, and nothing was sent to the target before
 * this was committed. Said by an executor, heard by coordinator. */
export const ExecutionStartedV1 = event({
  type: 'execution.started.v1',
  route: () => '_',
  signs: ({ collector }) => (collector === undefined ? [] : [collector]),
  fence: 'claim',
  shape: z.object({
    epoch: Epoch,
    executor: Executor,
    worker: WorkerId,
    method: Method,
    collector: Collector.optional(),
    statement: Statement.optional(),
  }),
  example: {
    epoch: 1,
    executor: 'kubernetes',
    worker: 'k8s-1-7f3a',
    method: 'exec-stream',
    collector: { name: 'impound-collector', version: '0.1.0', sha256: 'a'.repeat(64) },
  },
});
export type ExecutionStartedV1 = DataOf<typeof ExecutionStartedV1>;

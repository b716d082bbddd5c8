// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { CaseId, Count, Epoch, Time, text } from '../ids.ts';
import { Executor, Method, Profile } from '../methods.ts';
import { FoundTarget } from '../target.ts';

/** One executor is told to try one method, alone under this epoch. Said by coordinator, routed to
 * that executor. */
export const AcquisitionAssignedV1 = event({
  type: 'acquisition.assigned.v1',
  route: (data) => data.executor,
  shape: z.object({
    caseId: CaseId,
    executor: Executor,
    method: Method,
    epoch: Epoch,
    target: FoundTarget,
    /** The container that discovery saw: an executor that finds another one does not touch it. */
    containerId: text(256).optional(),
    profile: Profile,
    paths: z.array(text(4_096)).max(64),
    deadline: Time,
    budget: z.object({ bytesMax: Count, secondsMax: Count }),
  }),
  example: {
    caseId: 'IR-2026-017',
    executor: 'kubernetes',
    method: 'exec-stream',
    epoch: 1,
    target: {
      kind: 'kubernetes',
      cluster: 'prod-eu',
      namespace: 'shop',
      pod: 'cart-7f9c',
      container: 'cart',
    },
    containerId: 'containerd://4f1d2a',
    profile: 'triage',
    paths: ['/srv/www'],
    deadline: '2026-11-23T10:15:00.000000Z',
    budget: { bytesMax: 10_737_418_240, secondsMax: 3_600 },
  },
});
export type AcquisitionAssignedV1 = DataOf<typeof AcquisitionAssignedV1>;

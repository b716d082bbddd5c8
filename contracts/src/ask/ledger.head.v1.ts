// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, Count, EventId, Sha256, Tenant, WorkerId } from '../ids.ts';
import { question } from '../question.ts';

/** Where a chain stands: what a worker asks with each heartbeat to learn whether it may go on. */
export const LedgerHeadV1 = question({
  name: 'ledger.head.v1',
  request: z.object({
    tenant: Tenant,
    acquisitionId: AcquisitionId,
    /** Also answer which event this one caused, said by this service. */
    causedBy: z.object({ id: EventId, service: z.string().max(64) }).optional(),
  }),
  reply: z.object({
    version: Count,
    head: Sha256.optional(),
    /** The epoch whose holder may act; absent: none. */
    epoch: Count.optional(),
    claimedBy: WorkerId.optional(),
    /** True from the request to cancel on, and when the chain has ended. */
    stop: z.boolean(),
    ended: z.boolean(),
    /** The type of the event that ended it. */
    ending: z.string().max(64).optional(),
    caused: z.boolean().optional(),
  }),
  example: {
    request: { tenant: 'default', acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01' },
    reply: {
      version: 5,
      head: 'd'.repeat(64),
      epoch: 1,
      claimedBy: 'k8s-1-7f3a',
      stop: false,
      ended: false,
    },
  },
});

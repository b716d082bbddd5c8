// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { Code, EventId, Sha256, Time, text } from '../ids.ts';

/** A worker spoke under an epoch that was no longer its own: refused as an effect, kept as a
 * fact, for what it did to the target must be on record. Said by ledger. */
export const ExecutionFencedV1 = event({
  type: 'execution.fenced.v1',
  route: () => '_',
  terminal: true,
  shape: z.object({
    code: Code,
    because: text(512),
    refusedId: EventId,
    refusedType: text(64),
    refusedSource: text(256),
    /**
     * When the worker said it, by its own clock: until then it may have gone on touching the
     * target, since it was last heard (`execution.lapsed` tells) or had said its result.
     */
    refusedAt: Time.optional(),
    /** SHA-256 of the refused event's bytes, and its data where that is small enough. */
    refusedSha256: Sha256,
    refusedData: z.record(z.string(), z.unknown()).optional(),
  }),
  example: {
    code: 'epoch-over',
    because: 'epoch 1 is over, epoch 2 is live',
    refusedId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
    refusedType: 'evidence.captured.v1',
    refusedSource: '/impound/executor-kubernetes/k8s-1-7f3a',
    refusedAt: '2026-11-23T09:17:04.000000Z',
    refusedSha256: 'b'.repeat(64),
  },
});
export type ExecutionFencedV1 = DataOf<typeof ExecutionFencedV1>;

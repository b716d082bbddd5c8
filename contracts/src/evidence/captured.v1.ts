// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { CoverageCounts, EvidenceObject, Footprint } from '../evidence.ts';
import { Epoch, Time, text, WorkerId } from '../ids.ts';
import { Method } from '../methods.ts';
import { Statement } from '../statement.ts';

/** The bytes of one execution are in the store. Said by an executor, heard by uploader, which
 * reads them again, and by coordinator. */
export const EvidenceCapturedV1 = event({
  type: 'evidence.captured.v1',
  route: () => '_',
  signs: ({ objects }) => objects,
  fence: 'result',
  shape: z.object({
    epoch: Epoch,
    worker: WorkerId,
    method: Method,
    /** manifest.jsonl is one of them. */
    objects: z.array(EvidenceObject).min(1).max(32),
    coverage: CoverageCounts,
    footprint: Footprint,
    /**
     * True where the collection ended early, e.g. because the container did; `because` says why.
     */
    partial: z.boolean(),
    because: text(1_024).optional(),
    startedAt: Time,
    endedAt: Time,
    statement: Statement.optional(),
  }),
  example: {
    epoch: 1,
    worker: 'k8s-1-7f3a',
    method: 'exec-stream',
    objects: [
      {
        name: 'manifest.jsonl',
        key: 'default/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01/e1/manifest.jsonl',
        bytes: 1_234,
        sha256: 'c'.repeat(64),
      },
    ],
    coverage: { got: 41, partial: 1, denied: 2, absent: 17 },
    footprint: {
      touched: true,
      processesStarted: 12,
      filesRead: 60,
      filesWritten: 0,
      bytesSent: 21_000,
      bytesReceived: 400_000,
      notes: [],
    },
    partial: false,
    startedAt: '2026-11-23T09:15:03.000000Z',
    endedAt: '2026-11-23T09:15:09.000000Z',
  },
});
export type EvidenceCapturedV1 = DataOf<typeof EvidenceCapturedV1>;

// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { InspectedObject, StoredObject } from '../evidence.ts';
import { AcquisitionId, Tenant } from '../ids.ts';
import { question } from '../question.ts';

/** How the store holds objects now, against how it held them when they were stored. Bytes are read
 * only where the store has neither versions nor a date that says that they were left alone. */
export const UploaderInspectV1 = question({
  name: 'uploader.inspect.v1',
  request: z.object({
    tenant: Tenant,
    acquisitionId: AcquisitionId,
    objects: z.array(StoredObject).min(1).max(64),
  }),
  reply: z.object({ objects: z.array(InspectedObject).max(64) }),
  example: {
    request: {
      tenant: 'default',
      acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
      objects: [
        {
          name: 'manifest.jsonl',
          key: 'default/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01/e1/manifest.jsonl',
          bytes: 1_234,
          sha256: 'c'.repeat(64),
          verifiedAt: '2026-11-23T09:15:00.000000Z',
          retention: { mode: 'none' },
        },
      ],
    },
    reply: {
      objects: [
        {
          key: 'default/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01/e1/manifest.jsonl',
          sha256: 'c'.repeat(64),
          retention: { mode: 'none' },
          deviations: [],
        },
      ],
    },
  },
});

// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, Count, Sha256, Tenant, Time, text } from '../ids.ts';
import { question } from '../question.ts';

/** A short-lived signed URL that reads one stored object. Asked by gateway after it has said
 * evidence.accessed. */
export const UploaderReadV1 = question({
  name: 'uploader.read.v1',
  request: z.object({ tenant: Tenant, acquisitionId: AcquisitionId, key: text(512) }),
  reply: z.object({ url: text(4_096), expiresAt: Time, bytes: Count, sha256: Sha256 }),
  example: {
    request: {
      tenant: 'default',
      acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
      key: 'default/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01/e1/manifest.jsonl',
    },
    reply: {
      url: 'http://127.0.0.1:8089/v1/objects/abc?sig=def',
      expiresAt: '2026-11-23T09:20:00.000000Z',
      bytes: 1_234,
      sha256: 'c'.repeat(64),
    },
  },
});

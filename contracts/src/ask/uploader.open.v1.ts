// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, Count, Tenant, Time, text, WorkerId } from '../ids.ts';
import { question } from '../question.ts';

/** An upload session for one object: a short-lived signed URL that can write this object and
 * nothing else. Asking again for the same object gives the same session, with what it holds. */
export const UploaderOpenV1 = question({
  name: 'uploader.open.v1',
  request: z.object({
    tenant: Tenant,
    acquisitionId: AcquisitionId,
    /** context-<try>: objects are written once. e<epoch> for the objects of one execution. */
    set: z.string().regex(/^(context(-[0-9a-f]{8})?|e[1-9][0-9]{0,3})$/),
    name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
    worker: WorkerId,
  }),
  reply: z.object({
    /** Secret: whoever has it can write the object. docs/spec/upload.md has the protocol. */
    url: text(4_096),
    expiresAt: Time,
    partBytesMax: Count,
  }),
  example: {
    request: {
      tenant: 'default',
      acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
      set: 'e1',
      name: 'manifest.jsonl',
      worker: 'k8s-1-7f3a',
    },
    reply: {
      url: 'http://127.0.0.1:8089/v1/uploads/abc?sig=def',
      expiresAt: '2026-11-23T10:15:00.000000Z',
      partBytesMax: 16_777_216,
    },
  },
});

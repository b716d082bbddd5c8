// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { EvidenceObject } from '../evidence.ts';
import { text } from '../ids.ts';
import { Statement } from '../statement.ts';

/** What the control plane knows of the container is in the store; what is not is a gap. Said by
 * discovery soon after the target was found, heard by uploader, which reads it again. */
export const ContextCapturedV1 = event({
  type: 'context.captured.v1',
  route: () => '_',
  signs: ({ objects }) => objects,
  shape: z.object({
    objects: z.array(EvidenceObject).max(8),
    gaps: z.array(text(512)).max(32),
    statement: Statement.optional(),
  }),
  example: {
    objects: [
      {
        name: 'context.tar.zst',
        key: 'default/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01/context-5d0c11aa/context.tar.zst',
        bytes: 2_345,
        sha256: '9'.repeat(64),
      },
    ],
    gaps: ['events.json: list events is not granted in namespace shop'],
  },
});
export type ContextCapturedV1 = DataOf<typeof ContextCapturedV1>;

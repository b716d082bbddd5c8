// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { StoredObject } from '../evidence.ts';
import { text } from '../ids.ts';
import { Statement } from '../statement.ts';

/** The context was read back from the store; what did not read back as it was captured is lost, and
 * why. Said by uploader once the rest is locked as configured; heard by coordinator. */
export const ContextStoredV1 = event({
  type: 'context.stored.v1',
  route: () => '_',
  signs: ({ objects }) => objects,
  shape: z.object({
    objects: z.array(StoredObject).max(8),
    lost: z.array(text(512)).max(8),
    statement: Statement.optional(),
  }),
  example: {
    objects: [
      {
        name: 'context.tar.zst',
        key: 'default/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01/context-5d0c11aa/context.tar.zst',
        bytes: 2_345,
        sha256: '9'.repeat(64),
        store: 's3',
        versionId: '3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrG',
        verifiedAt: '2026-11-23T09:15:02.000000Z',
        retention: { mode: 'compliance', until: '2033-11-23T09:15:02.000000Z' },
      },
    ],
    lost: [],
  },
});
export type ContextStoredV1 = DataOf<typeof ContextStoredV1>;

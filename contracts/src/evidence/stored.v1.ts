// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { StoredObject } from '../evidence.ts';
import { Epoch } from '../ids.ts';
import { Statement } from '../statement.ts';

/** Every object of a capture was read back from the store and has the digest that was captured.
 * Said by uploader once they are locked as configured; heard by coordinator. */
export const EvidenceStoredV1 = event({
  type: 'evidence.stored.v1',
  route: () => '_',
  signs: ({ objects }) => objects,
  shape: z.object({
    epoch: Epoch,
    objects: z.array(StoredObject).min(1).max(64),
    statement: Statement.optional(),
  }),
  example: {
    epoch: 1,
    objects: [
      {
        name: 'manifest.jsonl',
        key: 'default/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01/e1/manifest.jsonl',
        bytes: 1_234,
        sha256: 'c'.repeat(64),
        store: 's3',
        versionId: '3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrH',
        fingerprint: 'sha256:eHiBsGKQzuCcHf5RkA/yk3AXvWKPu8v3SSTbjC0wT1o=-3',
        verifiedAt: '2026-11-23T09:15:10.000000Z',
        retention: { mode: 'compliance', until: '2033-11-23T09:15:10.000000Z' },
      },
    ],
  },
});
export type EvidenceStoredV1 = DataOf<typeof EvidenceStoredV1>;

// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { CoverageCounts, EvidenceObject } from '../evidence.ts';
import { Count, Epoch, Sha256 } from '../ids.ts';

/** The acquisition is complete: every object is stored and verified, and the chain up to here has
 * this length and this last hash. Said by coordinator; it ends the acquisition. */
export const AcquisitionSealedV1 = event({
  type: 'acquisition.sealed.v1',
  route: () => '_',
  ends: true,
  terminal: true,
  shape: z.object({
    epoch: Epoch,
    /** SHA-256 of manifest.jsonl, which names every file. */
    manifest: Sha256,
    objects: z.array(EvidenceObject).min(1).max(64),
    coverage: CoverageCounts,
    /** True where the collection ended before everything asked for was tried. */
    partial: z.boolean(),
    /** How many entries the chain had before this one, and the leaf hash of the last of them. */
    entries: Count,
    lastEntry: Sha256,
  }),
  example: {
    epoch: 1,
    manifest: 'c'.repeat(64),
    objects: [
      {
        name: 'manifest.jsonl',
        key: 'default/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01/e1/manifest.jsonl',
        bytes: 1_234,
        sha256: 'c'.repeat(64),
      },
    ],
    coverage: { got: 41, partial: 1, denied: 2, absent: 17 },
    partial: false,
    entries: 7,
    lastEntry: 'd'.repeat(64),
  },
});
export type AcquisitionSealedV1 = DataOf<typeof AcquisitionSealedV1>;

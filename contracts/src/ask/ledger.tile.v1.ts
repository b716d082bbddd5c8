// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Count } from '../ids.ts';
import { question } from '../question.ts';

/** Hashes of the log's tree, a tile of C2SP tlog-tiles: whoever has them can make every proof. No
 * hashes: the log has no such tile, or not one that wide. */
export const LedgerTileV1 = question({
  name: 'ledger.tile.v1',
  request: z.object({ level: z.int().min(0).max(63), n: Count, width: z.int().min(1).max(256) }),
  reply: z.object({ hashes: z.base64().max(10_924).optional() }),
  example: {
    request: { level: 0, n: 0, width: 1 },
    reply: { hashes: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' },
  },
});

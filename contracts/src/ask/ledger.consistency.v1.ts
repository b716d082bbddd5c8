// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Count } from '../ids.ts';
import { question } from '../question.ts';

/** The hashes that show that the log of one size began with the log of a smaller one (RFC 6962
 * section 2.1.2). No path: the log never had one of these sizes. */
export const LedgerConsistencyV1 = question({
  name: 'ledger.consistency.v1',
  request: z.object({ from: Count, to: Count }),
  reply: z.object({ path: z.array(z.base64().length(44)).max(64).optional() }),
  example: { request: { from: 1, to: 1 }, reply: { path: [] } },
});

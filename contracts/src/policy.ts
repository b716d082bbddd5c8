// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Sha256, text } from './ids.ts';

/** What the policies decided and by which of them: enough to look it up and to decide it again. */
export const PolicyDecision = z.object({
  decision: z.enum(['allowed', 'approval-required', 'denied']),
  because: text(512),
  /** The ids of the policies that determined it. */
  policies: z.array(text(128)).max(32).optional(),
  /** SHA-256 over all policies in force and their schema. */
  policySet: Sha256.optional(),
});
export type PolicyDecision = z.output<typeof PolicyDecision>;

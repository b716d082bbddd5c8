// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Finding } from './finding.ts';
import { CaseId, Count, text } from './ids.ts';
import { Method, Profile } from './methods.ts';

/** What a requester sends: body of POST /v1/acquisitions and of the NATS door. */
export const Order = z.strictObject({
  /** kubernetes://<cluster>/<namespace>/<pod>[/<container>], or with ?selector=. */
  target: text(2_048),
  caseId: CaseId,
  reason: text(1_024),
  profile: Profile.default('triage'),
  paths: z.array(text(4_096).startsWith('/', 'a path is absolute')).max(64).default([]),
  methods: z.array(Method).min(1).max(7).optional(),
  onBehalfOf: text(256).optional(),
  finding: Finding.optional(),
  /** Seconds from now until the acquisition expires. */
  deadlineSeconds: z.int().min(10).max(604_800).default(3_600),
  budget: z
    .strictObject({ bytesMax: Count.optional(), secondsMax: z.int().min(1).max(86_400).optional() })
    .default({}),
});
export type Order = z.output<typeof Order>;

// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, CaseId, Time, text } from './ids.ts';

/** The name of an event type. */
const Type = z.string().regex(/^[a-z]+\.[a-z]+\.v[1-9][0-9]?$/, 'a type is noun.verb.vN');

/**
 * Which entries an auditor wants; what is left out does not narrow. `claimed` is the time that
 * whoever spoke gave, `recorded` that of the ledger; `From` is within, `To` is not.
 */
export const AuditFilter = z.strictObject({
  caseId: CaseId.optional(),
  acquisitionId: AcquisitionId.optional(),
  /** The id of the person, integration or process that acted. */
  actor: text(256).optional(),
  type: Type.optional(),
  /** formatTarget() of what was asked for. */
  target: text(2_048).optional(),
  claimedFrom: Time.optional(),
  claimedTo: Time.optional(),
  recordedFrom: Time.optional(),
  recordedTo: Time.optional(),
});
export type AuditFilter = z.output<typeof AuditFilter>;

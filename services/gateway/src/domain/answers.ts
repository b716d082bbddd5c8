// SPDX-License-Identifier: Apache-2.0
import {
  AcquisitionId,
  CaseId,
  Count,
  EventId,
  Sha256,
  Time,
  text,
} from '@impound/contracts/ids.ts';
import * as z from 'zod';

const Links = z.record(z.string(), z.string());

/** What is answered to an order. */
export const SubmittedAnswer = z.object({ acquisitionId: AcquisitionId, links: Links });

/** What is answered to a decision: the version of the chain with it. */
export const DecidedAnswer = z.object({ acquisitionId: AcquisitionId, version: Count });

/** A page of acquisitions; `next` is the `before` of the one after. */
export const ListAnswer = z.object({
  acquisitions: z.array(
    z.looseObject({
      acquisitionId: AcquisitionId,
      caseId: CaseId,
      status: z.string(),
      target: z.string(),
      links: Links,
    }),
  ),
  next: Count.optional(),
});

/** One acquisition, folded from its chain. */
export const ViewAnswer = z.looseObject({
  acquisitionId: AcquisitionId,
  caseId: CaseId,
  status: z.string(),
  version: Count,
  target: z.string(),
  objects: z.array(z.looseObject({ name: z.string(), key: z.string(), sha256: z.string() })),
  links: Links,
});

/** A page of callbacks that are given up; `next` is the `after` of the one behind it. */
export const CallbacksAnswer = z.object({
  callbacks: z.array(
    z.object({
      acquisitionId: AcquisitionId,
      about: EventId,
      attempt: Count,
      because: z.string(),
      at: Time,
    }),
  ),
  next: Count.optional(),
});

/** A page of the log; `entry` is the exact text that was hashed, `next` the `after` of the next. */
export const AuditAnswer = z.object({
  /** Entries in the log when it was read. */
  size: Count,
  /** The newest checkpoint then, a signed note; absent: there is none yet. */
  checkpoint: z.string().optional(),
  entries: z.array(z.object({ index: Count, leaf: Sha256, entry: z.string() })),
  next: Count.optional(),
});

/** RFC 9457, with the faults of a body by their paths. */
export const ProblemAnswer = z.object({
  type: z.string().regex(/^urn:impound:problem:[a-z-]+$/),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: text(2_048),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/** How the gateway does. */
export const HealthAnswer = z.object({
  status: z.enum(['ok', 'integrations-damaged', 'policies-damaged', 'tls-damaged']),
});

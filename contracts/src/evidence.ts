// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Count, Sha256, Time, text } from './ids.ts';

/** One object in the evidence store. `key` is its path there, tenant/acquisition/set/name. */
export const EvidenceObject = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
  key: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,511}$/),
  bytes: Count,
  sha256: Sha256,
});
export type EvidenceObject = z.output<typeof EvidenceObject>;

/** How many of the things asked for were got, got in part, denied, or not there. */
export const CoverageCounts = z.object({
  got: Count,
  partial: Count,
  denied: Count,
  absent: Count,
});
export type CoverageCounts = z.output<typeof CoverageCounts>;

/** What an executor did to the target, as far as it knows. */
export const Footprint = z.object({
  /** False only where nothing was sent to the target. */
  touched: z.boolean(),
  processesStarted: Count,
  filesRead: Count,
  filesWritten: Count,
  bytesSent: Count,
  bytesReceived: Count,
  notes: z.array(text(512)).max(16),
});
export type Footprint = z.output<typeof Footprint>;

/** The program that ran in the target. */
export const Collector = z.object({
  name: text(64),
  version: text(64),
  sha256: Sha256,
});
export type Collector = z.output<typeof Collector>;

/** What kind of store holds evidence. */
export const StoreKind = z.enum(['file', 's3', 'azure-blob', 'gcs']);
export type StoreKind = z.output<typeof StoreKind>;

/**
 * How the store says that it holds an object: governance can be lifted by who has the right to,
 * compliance by nobody before its time.
 */
export const Retention = z.object({
  mode: z.enum(['none', 'governance', 'compliance']),
  until: Time.optional(),
});
export type Retention = z.output<typeof Retention>;

/** An object as the store holds it, re-read and hashed by the uploader. */
export const StoredObject = EvidenceObject.extend({
  store: StoreKind.optional(),
  /** The version or generation that was read and locked, where the store has more than one. */
  versionId: text(1_024).optional(),
  /** What the store itself told the bytes by before they were read back, such as `sha256:…-3`,
   * `crc32c:…` or `etag:…`; docs/spec/upload.md. Absent: nothing of use. */
  fingerprint: text(256).optional(),
  verifiedAt: Time,
  retention: Retention,
});
export type StoredObject = z.output<typeof StoredObject>;

/** What was found of an object that the store was asked about again, and is not as on record. */
export const Deviation = z.object({
  code: z.enum([
    'object-gone',
    'object-deleted',
    'object-replaced',
    'object-differs',
    'lock-lifted',
    'lock-weakened',
    'lock-shortened',
  ]),
  because: text(512),
});
export type Deviation = z.output<typeof Deviation>;

/** How the store says that it holds an object now. */
export const InspectedObject = z.object({
  key: text(512),
  sha256: Sha256,
  versionId: text(1_024).optional(),
  /** Absent: the store does not hold it any more. */
  retention: Retention.optional(),
  deviations: z.array(Deviation).max(8),
});
export type InspectedObject = z.output<typeof InspectedObject>;

/** What a look at the evidence of an acquisition found; none: nothing is stored of it. */
export const Inspection = z.object({ objects: z.array(InspectedObject) });
export type Inspection = z.output<typeof Inspection>;

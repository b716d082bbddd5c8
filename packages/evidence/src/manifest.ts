// SPDX-License-Identifier: Apache-2.0
import { canonical } from '@impound/contracts/canonical.ts';
import { Collector, CoverageCounts, Footprint } from '@impound/contracts/evidence.ts';
import { AcquisitionId, CaseId, Count, Sha256, Time, text } from '@impound/contracts/ids.ts';
import * as z from 'zod';
import { FORMAT, FORMAT_VERSION, TEXT_CHARACTERS_MAX } from './limits.ts';
import { AREAS, lossyText, textOf } from './path-bytes.ts';

/** Where a capture was made: in the container, or at the API that runs it. */
export const Source = z.enum(['container', 'control-plane']);
export type Source = z.output<typeof Source>;

/** How each capture names its two objects. */
export const CAPTURE_NAMES = {
  container: { archive: 'evidence.tar.zst', manifest: 'manifest.jsonl' },
  'control-plane': { archive: 'context.tar.zst', manifest: 'context-manifest.jsonl' },
} as const satisfies Record<Source, { archive: string; manifest: string }>;

/** The types of files that a capture can tell of. */
export const FileType = z.enum(['file', 'directory', 'symlink', 'fifo', 'socket', 'device']);
export type FileType = z.output<typeof FileType>;

/** Why content is not what the file's size promised. */
export const PartialReason = z.enum(['content-short', 'content-long', 'content-failed']);
export type PartialReason = z.output<typeof PartialReason>;

/** How something that was asked for turned out. */
export const CoverageVerdict = z.enum(['got', 'partial', 'denied', 'absent']);
export type CoverageVerdict = z.output<typeof CoverageVerdict>;

/** The first line: which capture this is. */
export const HeaderLine = z.object({
  kind: z.literal('header'),
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  archive: z.enum([CAPTURE_NAMES.container.archive, CAPTURE_NAMES['control-plane'].archive]),
  acquisitionId: AcquisitionId,
  caseId: CaseId,
  source: Source,
  startedAt: Time,
  collector: Collector.optional(),
  target: text(TEXT_CHARACTERS_MAX).optional(),
  method: text(64).optional(),
  epoch: Count.optional(),
});
export type HeaderLine = z.output<typeof HeaderLine>;

const FileTime = z
  .string()
  .max(40)
  .regex(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z|@-?\d{1,19}(\.\d{1,9})?)$/);

/** One file. Names are UTF-8; a name that is not has its bytes in the `…Base64` beside it. */
export const FileLine = z.object({
  kind: z.literal('file'),
  area: z.enum(AREAS),
  path: z.string(),
  pathBase64: z.base64().optional(),
  type: FileType,
  size: Count,
  mode: z
    .string()
    .regex(/^[0-7]{4}$/)
    .optional(),
  uid: Count.optional(),
  gid: Count.optional(),
  mtime: FileTime.optional(),
  atime: FileTime.optional(),
  ctime: FileTime.optional(),
  /** The member's name in the tar; a file without it is told of, but not in the tar. */
  tarPath: z.string().optional(),
  tarPathBase64: z.base64().optional(),
  /** Of the content in the tar. */
  sha256: Sha256.optional(),
  link: z.string().optional(),
  linkBase64: z.base64().optional(),
  device: z.object({ major: Count, minor: Count }).optional(),
  partial: z.object({ because: PartialReason, captured: Count }).optional(),
  because: z.string().max(TEXT_CHARACTERS_MAX).optional(),
});
export type FileLine = z.output<typeof FileLine>;

/** How one of the things asked for turned out, and why. */
export const CoverageLine = z.object({
  kind: z.literal('coverage'),
  asked: z.string().min(1).max(TEXT_CHARACTERS_MAX),
  verdict: CoverageVerdict,
  because: z.string().max(TEXT_CHARACTERS_MAX).optional(),
});
export type CoverageLine = z.output<typeof CoverageLine>;

/** What the acquisition itself did to the target. */
export const FootprintLine = Footprint.extend({ kind: z.literal('footprint') });
export type FootprintLine = z.output<typeof FootprintLine>;

/** When the capture was over, by the clock of whoever wrote it. */
export const FinishedLine = z.object({ kind: z.literal('finished'), at: Time });
export type FinishedLine = z.output<typeof FinishedLine>;

/** The last line: what must have come before it. Nothing in it is left unchecked by a reader. */
export const EndLine = z.strictObject({
  kind: z.literal('end'),
  files: Count,
  bytes: Count,
  coverage: z.strictObject(CoverageCounts.shape),
  archive: z.strictObject({ bytes: Count, sha256: Sha256, frames: Count, tarBytes: Count }),
  sha256: Sha256,
});
export type EndLine = z.output<typeof EndLine>;

/** Every line of a manifest. */
export const ManifestLine = z.discriminatedUnion('kind', [
  HeaderLine,
  FileLine,
  CoverageLine,
  FootprintLine,
  FinishedLine,
  EndLine,
]);
export type ManifestLine = z.output<typeof ManifestLine>;

/** The bytes of a line: canonical JSON (RFC 8785) and a newline. Throws TypeError. */
export function lineBytes(line: object): Buffer {
  return Buffer.from(`${canonical(line)}\n`);
}

/** How a name is written: its text, and its bytes where the text does not give them back. */
export function nameFields<Key extends string>(
  key: Key,
  bytes: Uint8Array,
): Record<Key, string> & Partial<Record<`${Key}Base64`, string>> {
  const text = textOf(bytes);
  const base64 = Buffer.from(bytes).toString('base64');
  const fields =
    text === undefined ? { [key]: lossyText(bytes), [`${key}Base64`]: base64 } : { [key]: text };
  return fields as Record<Key, string> & Partial<Record<`${Key}Base64`, string>>;
}

/** The bytes of a name, or undefined where text and base64 contradict each other. */
export function nameBytes(text: string, base64: string | undefined): Buffer | undefined {
  if (base64 === undefined) return Buffer.from(text);
  const bytes = Buffer.from(base64, 'base64');
  const honest =
    textOf(bytes) === undefined && lossyText(bytes) === text && bytes.toString('base64') === base64;
  return honest ? bytes : undefined;
}

/** Free text from outside, fit for a line: well-formed and cut. */
export function freeText(value: string): string {
  return value.slice(0, TEXT_CHARACTERS_MAX).toWellFormed();
}

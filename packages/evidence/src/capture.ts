// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type Content, type ContentResult, writeContent } from './content.ts';
import { declaredSize, type FileMeta, memberOf, metaFields } from './entry.ts';
import { EvidenceFault } from './fault.ts';
import { type FrameWriter, frameWriter } from './frame-writer.ts';
import { FORMAT, FORMAT_VERSION, NAMES_MAX, TAR_LINK_BYTES_MAX } from './limits.ts';
import { CAPTURE_NAMES, HeaderLine, nameFields } from './manifest.ts';
import { type ManifestCounts, type ManifestWriter, manifestWriter } from './manifest-writer.ts';
import { partWriter } from './part-writer.ts';
import { bytesOf, lossyText, printable, tarPathOf } from './path-bytes.ts';
import { type PathTable, pathTable } from './path-table.ts';
import type { EvidenceSink, ObjectSink, StoredRef } from './sink.ts';
import { END_OF_ARCHIVE_BYTES, encodeHeader, type MemberHeader, paddingOf } from './tar-header.ts';

/** The two objects of a capture while they are written. */
export interface Capture {
  readonly archive: ObjectSink;
  readonly frames: FrameWriter;
  readonly completeArchive: () => Promise<StoredRef>;
  readonly manifestSink: ObjectSink;
  readonly manifest: ManifestWriter;
  readonly names: PathTable;
  readonly fileBytesMax: number;
}

/** One member: its tar header, and the fields of its manifest line. */
export interface Plan {
  readonly member: MemberHeader;
  readonly fields: Record<string, unknown>;
}

/** Opens both objects and writes the header line. Rejects with EvidenceFault `entry-refused`. */
export async function openCapture(
  options: {
    readonly sink: EvidenceSink;
    readonly header: object;
    readonly level: number;
    readonly fileBytesMax: number;
  },
  signal: AbortSignal,
): Promise<Capture> {
  const source = (options.header as { source?: unknown }).source;
  const names = CAPTURE_NAMES[source === 'control-plane' ? source : 'container'];
  const form = { kind: 'header', format: FORMAT, version: FORMAT_VERSION, archive: names.archive };
  const header = checked(HeaderLine, { ...options.header, ...form });
  const [archive, manifestSink] = await bothOpened(
    options.sink.object(names.archive, signal),
    options.sink.object(names.manifest, signal),
  );
  try {
    const parts = partWriter(archive);
    const manifest = manifestWriter(partWriter(manifestSink));
    await manifest.line(header);
    const frames = frameWriter(parts, options.level);
    const completeArchive = parts.complete;
    const { fileBytesMax } = options;
    const paths = pathTable(NAMES_MAX);
    return { archive, frames, completeArchive, manifestSink, manifest, names: paths, fileBytesMax };
  } catch (error) {
    await Promise.all([archive.abort(), manifestSink.abort()]);
    throw error;
  }
}

/** Both, or none: where one is refused the other is given up. */
async function bothOpened(
  ...opening: readonly [Promise<ObjectSink>, Promise<ObjectSink>]
): Promise<readonly [ObjectSink, ObjectSink]> {
  const [one, other] = await Promise.allSettled(opening);
  if (one.status === 'fulfilled' && other.status === 'fulfilled') return [one.value, other.value];
  if (one.status === 'fulfilled') await one.value.abort();
  if (other.status === 'fulfilled') await other.value.abort();
  throw one.status === 'rejected' ? one.reason : (other as PromiseRejectedResult).reason;
}

/** Checks a value against the shape of a line. Throws EvidenceFault `entry-refused`. */
export function checked<Shape extends z.ZodType>(shape: Shape, value: unknown): z.output<Shape> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new EvidenceFault('entry-refused', z.prettifyError(parsed.error));
}

/** Checks what is to be written, and takes its name. Throws EvidenceFault, nothing is written. */
export function planned(
  capture: Capture,
  meta: FileMeta,
  what: Pick<MemberHeader, 'type' | 'size'> & { readonly link?: Buffer },
): Plan {
  const name = tarPathOf(meta.area, bytesOf(meta.path));
  if (what.type !== 'directory' && !name.includes('/')) {
    throw new EvidenceFault('path-refused', `/ is a directory, not a ${what.type}`);
  }
  const member = memberOf(meta, { ...what, name, link: what.link });
  const fields = {
    ...metaFields(meta),
    type: what.type,
    size: what.size,
    ...nameFields('tarPath', name),
    ...(what.link === undefined ? {} : nameFields('link', what.link)),
  };
  takeName(capture.names, member);
  return { member, fields };
}

/** Like `planned`, for a regular file. */
export function plannedFile(
  capture: Capture,
  meta: FileMeta & { readonly size?: number | undefined },
  content: Content,
): Plan {
  const length = content instanceof Uint8Array ? content.length : undefined;
  const size = declaredSize(meta, meta.size ?? length, capture.fileBytesMax);
  return planned(capture, meta, { type: 'file', size });
}

const REFUSED = {
  duplicate: ['path-duplicate', 'the name is taken by an earlier file'],
  conflict: ['path-conflict', 'a file cannot lie beneath a file or link, nor replace a directory'],
  full: ['names-exhausted', `a capture holds at most ${NAMES_MAX} names`],
} as const;

function takeName(names: PathTable, member: MemberHeader): void {
  const added = names.add(member.name, member.type === 'directory' ? 'directory' : 'leaf');
  if (added === 'new') return;
  const [code, why] = REFUSED[added];
  throw new EvidenceFault(code, `${printable(member.name)}: ${why}`);
}

/** True for a link's target that can stand in a tar header. */
export function fitsTar(target: Uint8Array): boolean {
  return target.length > 0 && target.length <= TAR_LINK_BYTES_MAX && !target.includes(0);
}

/** Writes a member without content. */
export async function writeMember(capture: Capture, plan: Plan): Promise<void> {
  await capture.frames.write(encodeHeader(plan.member));
  await capture.manifest.line(plan.fields);
}

/** Writes a member with content, and says what came of it. */
export async function writeFile(
  work: { readonly capture: Capture; readonly plan: Plan; readonly content: Content },
  signal: AbortSignal,
): Promise<ContentResult & { readonly tarPath: string }> {
  const { frames, manifest } = work.capture;
  const { member, fields } = work.plan;
  await frames.write(encodeHeader(member));
  const { content } = work;
  const result = await writeContent({ content, size: member.size, write: frames.write }, signal);
  await frames.write(Buffer.alloc(paddingOf(member.size)));
  const { captured, sha256, fault } = result;
  const partial = fault && { because: fault.code, captured };
  await manifest.line({ ...fields, sha256, partial });
  return { ...result, tarPath: lossyText(member.name) };
}

/** Completes the archive, then the manifest, whose last line names the archive's digest. */
export async function finish(
  capture: Capture,
  finished: object | undefined,
): Promise<ManifestCounts & { readonly archive: StoredRef; readonly manifest: StoredRef }> {
  await capture.frames.write(Buffer.alloc(END_OF_ARCHIVE_BYTES));
  const { frames, bytes: tarBytes } = await capture.frames.end();
  capture.frames.close();
  const archive = await capture.completeArchive();
  if (finished !== undefined) await capture.manifest.line(finished);
  const { bytes, sha256 } = archive;
  const manifest = await capture.manifest.end({ bytes, sha256, frames, tarBytes });
  return { ...capture.manifest.counts(), archive, manifest };
}

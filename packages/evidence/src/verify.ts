// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { CoverageCounts } from '@impound/contracts/evidence.ts';
import { fileStream } from './file-stream.ts';
import { type Finding, type FindingLog, findingLog } from './finding.ts';
import { NAMES_MAX } from './limits.ts';
import { CAPTURE_NAMES, type HeaderLine, type Source } from './manifest.ts';
import { type ManifestSummary, type MemberLine, memberLines } from './manifest-reader.ts';
import { NOTHING_COUNTED } from './manifest-writer.ts';
import { factsOfMember, type Matcher, matcher } from './matcher.ts';
import { type Measured, measured } from './measured.ts';
import { printable } from './path-bytes.ts';
import { type PathTable, pathTable } from './path-table.ts';
import { refusalOfMember, unpackArchive } from './reader.ts';
import { type TarMember, tarMembers } from './tar-reader.ts';

/** A capture to verify. */
export interface CaptureToVerify {
  readonly archive: AsyncIterable<Uint8Array>;
  readonly manifest: AsyncIterable<Uint8Array>;
  /** SHA-256 in hex that the objects must have, e.g. from the chain of custody. */
  readonly expected?: { readonly archive?: string; readonly manifest?: string };
  /** Uncompressed bytes at which unpacking stops; ARCHIVE_BYTES_MAX if left out. */
  readonly bytesMax?: number;
}

/** What verifying a capture showed. It is as it was written only if `ok`. */
export interface CaptureReport {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** Findings beyond FINDINGS_MAX. */
  readonly findingsLeftOut: number;
  readonly header: HeaderLine | undefined;
  readonly archive: { readonly bytes: number; readonly sha256: string };
  readonly manifest: { readonly bytes: number; readonly sha256: string };
  readonly files: number;
  readonly bytes: number;
  readonly coverage: CoverageCounts;
}

interface Lines {
  next(): Promise<MemberLine | undefined>;
  summary(): ManifestSummary;
}

interface Unpacked {
  frames: number;
  tarBytes: number;
}

/**
 * Checks that an archive holds what its manifest says, to the byte, and nothing else. Reads both
 * once, side by side, in bounded memory whatever they hold. Rejects only when the signal aborts.
 */
export async function verifyCapture(
  capture: CaptureToVerify,
  signal: AbortSignal,
): Promise<CaptureReport> {
  const log = findingLog();
  const archive = measured(capture.archive);
  const manifest = measured(capture.manifest);
  try {
    const lines = linesOf(manifest, log, signal);
    const unpacked = await pairAll({ ...capture, archive: archive.stream, lines, log }, signal);
    await drained(archive, { log, where: 'archive' }, signal);
    await drained(manifest, { log, where: 'manifest' }, signal);
    const found = { archive: archive.result(), manifest: manifest.result() };
    const summary = lines.summary();
    checkDigests({ found, summary, unpacked, expected: capture.expected ?? {} }, log);
    const { findings } = log;
    const { header, files, bytes, coverage } = summary;
    const ok = findings.length === 0;
    const findingsLeftOut = log.leftOut();
    return { ok, findings, findingsLeftOut, header, ...found, files, bytes, coverage };
  } finally {
    await Promise.allSettled([archive.close(), manifest.close()]);
  }
}

/** Verifies the two objects of a capture as files of a directory. */
export async function verifyCaptureDirectory(
  directory: string,
  options: Omit<CaptureToVerify, 'archive' | 'manifest'> & { readonly source?: Source },
  signal: AbortSignal,
): Promise<CaptureReport> {
  const { source = 'container', ...rest } = options;
  const names = CAPTURE_NAMES[source];
  const archive = fileStream(join(directory, names.archive));
  const manifest = fileStream(join(directory, names.manifest));
  return await verifyCapture({ ...rest, archive, manifest }, signal);
}

/** Lines until the manifest cannot be read any further, which is a finding. */
function linesOf(manifest: Measured, log: FindingLog, signal: AbortSignal): Lines {
  const iterator = memberLines(manifest.stream, log);
  let summary: ManifestSummary = { ...NOTHING_COUNTED, header: undefined, end: undefined };
  let over = false;
  return {
    next: async () => {
      if (over) return undefined;
      try {
        const { done, value } = await iterator.next();
        if (done !== true) return value;
        summary = value;
      } catch (error) {
        log.caught(error, 'manifest', signal);
      }
      over = true;
      return undefined;
    },
    summary: () => summary,
  };
}

async function pairAll(
  work: {
    readonly archive: AsyncIterable<Uint8Array>;
    readonly bytesMax?: number;
    readonly lines: Lines;
    readonly log: FindingLog;
  },
  signal: AbortSignal,
): Promise<Unpacked> {
  const { archive, lines, log, bytesMax } = work;
  const unpacked: Unpacked = { frames: 0, tarBytes: 0 };
  const tar = unpackArchive(
    {
      archive,
      ...(bytesMax === undefined ? {} : { bytesMax }),
      onBroken: (fault) => log.add('frame-broken', fault.message, 'archive'),
      onFrame: (contentBytes) => {
        unpacked.frames += 1;
        unpacked.tarBytes += contentBytes;
      },
    },
    signal,
  );
  const pairs = matcher(log);
  const names = pathTable(NAMES_MAX);
  try {
    for await (const member of tarMembers(tar)) {
      await checkMember({ member, names, pairs, lines, log }, signal);
    }
  } catch (error) {
    log.caught(error, 'archive', signal);
  }
  await pairs.finish(lines.next);
  return unpacked;
}

async function checkMember(
  at: {
    readonly member: TarMember;
    readonly names: PathTable;
    readonly pairs: Matcher;
    readonly lines: Lines;
    readonly log: FindingLog;
  },
  signal: AbortSignal,
): Promise<void> {
  const { member, log } = at;
  const shown = printable(member.name);
  const refusal = refusalOfMember(member, at.names);
  if (refusal !== undefined) log.add(refusal.code, refusal.why, shown);
  if (member.foreignFlag !== undefined) return;
  if (!member.exact) {
    log.add(
      'header-not-exact',
      `its header at tar byte ${member.offset} can be read two ways`,
      shown,
    );
  }
  const hash = createHash('sha256');
  for await (const chunk of member.content) {
    signal.throwIfAborted();
    hash.update(chunk);
  }
  if (!member.padded()) log.add('padding-not-zero', 'bytes are hidden behind its content', shown);
  await at.pairs.member(member.name, factsOfMember(member, hash.digest('hex')), at.lines.next);
}

async function drained(
  stream: Measured,
  at: { readonly log: FindingLog; readonly where: string },
  signal: AbortSignal,
): Promise<void> {
  try {
    await stream.drain(signal);
  } catch (error) {
    at.log.caught(error, at.where, signal);
  }
}

function checkDigests(
  at: {
    readonly found: Pick<CaptureReport, 'archive' | 'manifest'>;
    readonly summary: ManifestSummary;
    readonly unpacked: Unpacked;
    readonly expected: { readonly archive?: string; readonly manifest?: string };
  },
  log: FindingLog,
): void {
  const { found, summary, unpacked, expected } = at;
  const facts = { ...found.archive, ...unpacked };
  for (const field of ['bytes', 'sha256', 'frames', 'tarBytes'] as const) {
    const says = summary.end?.archive[field];
    if (says === undefined || says === facts[field]) continue;
    log.add(
      'archive-mismatch',
      `${field}: the manifest says ${says}, it has ${facts[field]}`,
      'archive',
    );
  }
  for (const object of ['archive', 'manifest'] as const) {
    const sha256 = found[object].sha256;
    if (expected[object] === undefined || expected[object] === sha256) continue;
    log.add(`${object}-mismatch`, `SHA-256 ${sha256}, expected ${expected[object]}`, object);
  }
}

// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import type { FindingLog } from './finding.ts';
import { type Line, splitLines } from './lines.ts';
import {
  type EndLine,
  type FileLine,
  type HeaderLine,
  lineBytes,
  ManifestLine,
  nameBytes,
} from './manifest.ts';
import { counted, type ManifestCounts, NOTHING_COUNTED } from './manifest-writer.ts';
import { tarPathOf, textOf } from './path-bytes.ts';

/** A manifest line that has a member in the tar. */
export interface MemberLine {
  readonly number: number;
  readonly line: FileLine;
  readonly tarName: Buffer;
  readonly link: Buffer | undefined;
}

/** What stood in a manifest, after all of it was read. */
export interface ManifestSummary extends ManifestCounts {
  readonly header: HeaderLine | undefined;
  readonly end: EndLine | undefined;
}

const IN_TAR: readonly string[] = ['file', 'directory', 'symlink'];

interface State {
  header: HeaderLine | undefined;
  end: EndLine | undefined;
  counts: ManifestCounts;
}

/**
 * Reads a manifest line by line, checks each, and yields those that have a member in the tar.
 * What is wrong goes to the log. Throws EvidenceFault `line-too-long`, and what the input throws.
 */
export async function* memberLines(
  input: AsyncIterable<Uint8Array>,
  log: FindingLog,
): AsyncGenerator<MemberLine, ManifestSummary> {
  const before = createHash('sha256');
  const state: State = { header: undefined, end: undefined, counts: NOTHING_COUNTED };
  for await (const line of splitLines(input)) {
    const value = parse(line, log);
    if (state.end !== undefined) {
      log.add('line-after-end', 'nothing may follow the end', `line ${line.number}`);
    }
    if (value?.kind === 'end') checkEnd(value, { ...state, before }, log);
    before.update(line.bytes);
    const member = value && place({ line, value, state }, log);
    if (member !== undefined) yield member;
  }
  checkPresence(state, log);
  return { ...state.counts, header: state.header, end: state.end };
}

function checkPresence(state: State, log: FindingLog): void {
  if (state.header === undefined) log.add('header-missing', 'no header line', 'line 1');
  if (state.end === undefined) {
    log.add('end-missing', 'the capture was never finished, or its end was cut off', 'last line');
  }
}

/** Notes what a line adds, and that headers and ends stand where they belong. */
function place(
  at: { readonly line: Line; readonly value: ManifestLine; readonly state: State },
  log: FindingLog,
): MemberLine | undefined {
  const { line, value, state } = at;
  state.counts = counted(state.counts, value);
  if ((line.number === 1) !== (value.kind === 'header')) {
    log.add('header-missing', 'the first line, and no other, is the header', `line ${line.number}`);
  }
  if (value.kind === 'header') state.header ??= value;
  if (value.kind === 'end') state.end ??= value;
  return value.kind === 'file' ? memberLine(line.number, value, log) : undefined;
}

function parse(line: Line, log: FindingLog): ManifestLine | undefined {
  const where = `line ${line.number}`;
  const value = jsonOf(line);
  if (typeof value === 'string') {
    log.add('line-invalid', value, where);
    return undefined;
  }
  if (!isCanonical(value, line.bytes)) {
    log.add('line-not-canonical', 'its bytes are not canonical JSON (RFC 8785)', where);
  }
  const parsed = ManifestLine.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  log.add('line-invalid', `${issue?.path.join('.')}: ${issue?.code}`, where);
  return undefined;
}

/** The object in a line, or why there is none. */
function jsonOf(line: Line): object | string {
  const text = textOf(line.bytes);
  if (text === undefined) return 'no UTF-8';
  if (!line.ended) return 'no newline at its end';
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : 'no object';
  } catch {
    return 'no JSON';
  }
}

function isCanonical(value: object, bytes: Buffer): boolean {
  try {
    return lineBytes(value).equals(bytes);
  } catch {
    return false;
  }
}

function memberLine(number: number, line: FileLine, log: FindingLog): MemberLine | undefined {
  const problem = problemOf(line);
  if (problem !== undefined) {
    log.add('line-invalid', problem, `line ${number}`);
    return undefined;
  }
  if (line.tarPath === undefined) return undefined;
  const tarName = nameBytes(line.tarPath, line.tarPathBase64) ?? Buffer.alloc(0);
  const link = line.link === undefined ? undefined : nameBytes(line.link, line.linkBase64);
  return { number, line, tarName, link };
}

function problemOf(line: FileLine): string | undefined {
  const path = nameBytes(line.path, line.pathBase64);
  if (path === undefined) return 'path and pathBase64 differ';
  if (line.link !== undefined && nameBytes(line.link, line.linkBase64) === undefined) {
    return 'link and linkBase64 differ';
  }
  if (line.tarPath !== undefined) return tarProblemOf({ ...line, tarPath: line.tarPath }, path);
  return line.sha256 === undefined ? undefined : 'a sha256 is for files in the tar';
}

function tarProblemOf(line: FileLine & { tarPath: string }, path: Buffer): string | undefined {
  if (!IN_TAR.includes(line.type)) return `a ${line.type} in the tar`;
  if ((line.type === 'file') !== (line.sha256 !== undefined)) return 'a sha256 is for files';
  if ((line.type === 'symlink') !== (line.link !== undefined)) return 'a link is for symlinks';
  if (line.type !== 'file' && line.size !== 0) return 'a size is for files';
  const tarName = nameBytes(line.tarPath, line.tarPathBase64);
  return tarName?.equals(derived(line, path)) === true ? undefined : 'tarPath is not that of path';
}

function derived(line: FileLine, path: Buffer): Buffer {
  try {
    return tarPathOf(line.area, path);
  } catch {
    return Buffer.alloc(0);
  }
}

function checkEnd(
  end: EndLine,
  found: { readonly counts: ManifestCounts; readonly before: Hash },
  log: FindingLog,
): void {
  const differ = (field: string, says: unknown, is: unknown): void => {
    if (says !== is) log.add('end-mismatch', `${field} says ${says}, counted ${is}`, 'end line');
  };
  differ('sha256', end.sha256, found.before.copy().digest('hex'));
  differ('files', end.files, found.counts.files);
  differ('bytes', end.bytes, found.counts.bytes);
  for (const verdict of ['got', 'partial', 'denied', 'absent'] as const) {
    differ(`coverage.${verdict}`, end.coverage[verdict], found.counts.coverage[verdict]);
  }
}

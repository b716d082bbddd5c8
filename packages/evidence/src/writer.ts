// SPDX-License-Identifier: Apache-2.0
import type { CoverageCounts, Footprint } from '@impound/contracts/evidence.ts';
import type * as z from 'zod';
import {
  type Capture,
  checked,
  finish,
  fitsTar,
  openCapture,
  planned,
  plannedFile,
  writeFile,
  writeMember,
} from './capture.ts';
import type { Content, ContentResult } from './content.ts';
import { type FileMeta, type ListedMeta, listedFields } from './entry.ts';
import { EvidenceFault } from './fault.ts';
import { FILE_BYTES_MAX } from './limits.ts';
import {
  CoverageLine,
  type CoverageVerdict,
  FinishedLine,
  FootprintLine,
  freeText,
  type HeaderLine,
} from './manifest.ts';
import { bytesOf } from './path-bytes.ts';
import type { EvidenceSink, StoredRef } from './sink.ts';

const LEVEL_DEFAULT = 1;
const LEVEL_MAX = 19;

/** What the first line of the manifest says. Times are RFC 3339 UTC with six decimals. */
export type CaptureHeader = Omit<
  z.input<typeof HeaderLine>,
  'kind' | 'format' | 'version' | 'archive'
>;

export interface WriterOptions {
  readonly sink: EvidenceSink;
  readonly header: CaptureHeader;
  /** zstd level, 1 to 19; 1 if left out: what is taken must be safe before it is small. */
  readonly level?: number;
  /** A file declared bigger is refused; FILE_BYTES_MAX if left out. */
  readonly fileBytesMax?: number;
}

/** Where a file went, and what came of its content. */
export interface FileResult extends ContentResult {
  readonly tarPath: string;
}

/** What a finished capture is made of: the archive, then the manifest. */
export interface CaptureResult {
  readonly objects: readonly (StoredRef & { readonly files: number })[];
  readonly files: number;
  readonly bytes: number;
  readonly coverage: CoverageCounts;
}

/**
 * Writes one capture. One call at a time, each awaited. A call that rejects with EvidenceFault
 * `path-…`, `time-refused`, `entry-refused`, `file-too-large` or `names-exhausted` has written
 * nothing and the writer goes on; after any other rejection it is of no more use.
 * Disposed before `end`, it gives up both objects.
 */
export interface EvidenceWriter extends AsyncDisposable {
  /**
   * Takes a regular file. `size` must be the number of bytes that content gives; it may be left
   * out where content is a Uint8Array. Where content gives less or more, the file is padded or
   * cut, marked `partial` in the manifest, and `fault` of the result says so: it does not reject.
   */
  file(
    meta: FileMeta & { readonly size?: number | undefined },
    content: Content,
  ): Promise<FileResult>;
  directory(meta: FileMeta): Promise<void>;
  /** A target that no tar can hold (empty, NUL, over 4,095 bytes) stands in the manifest only. */
  symlink(meta: FileMeta & { readonly target: string | Uint8Array }): Promise<void>;
  /** Tells of a file without its content: sockets, FIFOs, devices, and what could not be read. */
  listed(meta: ListedMeta): Promise<void>;
  coverage(line: {
    readonly asked: string;
    readonly verdict: CoverageVerdict;
    readonly because?: string | undefined;
  }): Promise<void>;
  footprint(footprint: Footprint): Promise<void>;
  /** Completes both objects, the archive first. `finishedAt` as `startedAt` of the header. */
  end(ending?: { readonly finishedAt?: string }): Promise<CaptureResult>;
}

/** Runs one call at a time. Only `work` writes: what `prepare` throws leaves the writer usable. */
type Step = <Plan, T>(prepare: () => Plan, work: (plan: Plan) => Promise<T>) => Promise<T>;

/**
 * Opens both objects of a capture and writes the first line of its manifest. The signal ends all
 * that the writer waits for. docs/spec/evidence.md has the bytes.
 * Rejects with EvidenceFault `entry-refused` for a header or level that is none.
 */
export async function evidenceWriter(
  options: WriterOptions,
  signal: AbortSignal,
): Promise<EvidenceWriter> {
  const { sink, header, level = LEVEL_DEFAULT, fileBytesMax = FILE_BYTES_MAX } = options;
  if (!Number.isInteger(level) || level < 1 || level > LEVEL_MAX) {
    throw new EvidenceFault('entry-refused', `a zstd level is 1 to ${LEVEL_MAX}`);
  }
  const capture = await openCapture({ sink, header, level, fileBytesMax }, signal);
  let state: 'open' | 'busy' | 'broken' | 'ended' = 'open';

  const step: Step = async (prepare, work) => {
    if (state !== 'open') throw new EvidenceFault('writer-closed', `the writer is ${state}`);
    signal.throwIfAborted();
    const plan = prepare();
    state = 'busy';
    try {
      const result = await work(plan);
      state = 'open';
      return result;
    } catch (error) {
      state = 'broken';
      throw error;
    }
  };

  return {
    ...fileCalls(capture, step, signal),
    ...lineCalls(capture, step),
    end: async (ending) => {
      const result = await step(
        () => finishedLine(ending?.finishedAt),
        (finished) => finish(capture, finished),
      );
      state = 'ended';
      return resultOf(result);
    },
    [Symbol.asyncDispose]: async () => {
      if (state === 'ended') return;
      state = 'broken';
      capture.frames.close();
      await Promise.all([capture.archive.abort(), capture.manifestSink.abort()]);
    },
  };
}

function fileCalls(
  capture: Capture,
  step: Step,
  signal: AbortSignal,
): Pick<EvidenceWriter, 'file' | 'directory' | 'symlink'> {
  return {
    file: (meta, content) =>
      step(
        () => plannedFile(capture, meta, content),
        (plan) => writeFile({ capture, plan, content }, signal),
      ),
    directory: (meta) =>
      step(
        () => planned(capture, meta, { type: 'directory', size: 0 }),
        (plan) => writeMember(capture, plan),
      ),
    symlink: async (meta) => {
      const link = bytesOf(meta.target);
      if (!fitsTar(link)) {
        return step(() => listedFields({ ...meta, type: 'symlink' }), capture.manifest.line);
      }
      return step(
        () => planned(capture, meta, { type: 'symlink', size: 0, link }),
        (plan) => writeMember(capture, plan),
      );
    },
  };
}

function lineCalls(
  capture: Capture,
  step: Step,
): Pick<EvidenceWriter, 'listed' | 'coverage' | 'footprint'> {
  const { line } = capture.manifest;
  return {
    listed: (meta) => step(() => listedFields(meta), line),
    coverage: ({ asked, verdict, because }) =>
      step(
        () =>
          checked(CoverageLine, {
            kind: 'coverage',
            asked: freeText(asked),
            verdict,
            ...(because === undefined ? {} : { because: freeText(because) }),
          }),
        line,
      ),
    footprint: (footprint) =>
      step(() => checked(FootprintLine, { ...footprint, kind: 'footprint' }), line),
  };
}

function finishedLine(at: string | undefined): object | undefined {
  return at === undefined ? undefined : checked(FinishedLine, { kind: 'finished', at });
}

function resultOf(done: Awaited<ReturnType<typeof finish>>): CaptureResult {
  const { archive, manifest, files, bytes, coverage } = done;
  const objects = [archive, manifest].map((object) => ({ ...object, files }));
  return { objects, files, bytes, coverage };
}

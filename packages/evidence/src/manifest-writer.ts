// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { CoverageCounts } from '@impound/contracts/evidence.ts';
import { EvidenceFault } from './fault.ts';
import { LINE_BYTES_MAX } from './limits.ts';
import { type EndLine, lineBytes } from './manifest.ts';
import type { PartWriter } from './part-writer.ts';
import type { StoredRef } from './sink.ts';

/** What a manifest has counted so far. */
export interface ManifestCounts {
  readonly files: number;
  /** Content of regular files in the tar. */
  readonly bytes: number;
  readonly coverage: CoverageCounts;
}

/** Writes lines, counts them, and ends the manifest with what it counted. */
export interface ManifestWriter {
  line(line: object): Promise<void>;
  counts(): ManifestCounts;
  end(archive: EndLine['archive']): Promise<StoredRef>;
}

interface Countable {
  readonly kind?: unknown;
  readonly sha256?: unknown;
  readonly size?: unknown;
  readonly verdict?: unknown;
}

/** Adds one line to what was counted; the reader counts with it too. */
export function counted(counts: ManifestCounts, line: Countable): ManifestCounts {
  if (line.kind === 'coverage') {
    const verdict = line.verdict as keyof CoverageCounts;
    const coverage = { ...counts.coverage, [verdict]: counts.coverage[verdict] + 1 };
    return { ...counts, coverage };
  }
  if (line.kind !== 'file') return counts;
  const bytes = line.sha256 === undefined ? 0 : Number(line.size);
  return { ...counts, files: counts.files + 1, bytes: counts.bytes + bytes };
}

/** What an empty manifest has counted. */
export const NOTHING_COUNTED: ManifestCounts = {
  files: 0,
  bytes: 0,
  coverage: { got: 0, partial: 0, denied: 0, absent: 0 },
};

/** Writes manifest lines into the parts of an object. */
export function manifestWriter(parts: PartWriter): ManifestWriter {
  const lines = createHash('sha256');
  let counts = NOTHING_COUNTED;

  async function line(value: object): Promise<void> {
    const bytes = lineBytes(value);
    if (bytes.length > LINE_BYTES_MAX) {
      throw new EvidenceFault('line-too-long', `a manifest line of ${bytes.length} bytes`);
    }
    lines.update(bytes);
    counts = counted(counts, value);
    await parts.write(bytes);
  }

  async function end(archive: EndLine['archive']): Promise<StoredRef> {
    const last: EndLine = { kind: 'end', ...counts, archive, sha256: lines.digest('hex') };
    await parts.write(lineBytes(last));
    return await parts.complete();
  }

  return { line, counts: () => counts, end };
}

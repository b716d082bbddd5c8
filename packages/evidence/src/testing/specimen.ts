// SPDX-License-Identifier: Apache-2.0
import { type CaptureReport, verifyCapture } from '../verify.ts';
import { type CaptureHeader, type EvidenceWriter, evidenceWriter } from '../writer.ts';
import { memorySink } from './memory-sink.ts';

const WAIT_MS_MAX = 280_000;

/** A header that is right. */
export const HEADER: CaptureHeader = {
  acquisitionId: '0d4f8c0e-6f5e-4d8e-9a55-3d2b1f0a7e22',
  caseId: 'IR-2026-017',
  source: 'container',
  startedAt: '2026-11-23T05:00:00.000000Z',
};

/** The two objects of a capture. */
export interface Objects {
  readonly archive: Buffer;
  readonly manifest: Buffer;
}

/** Writes a capture into memory. */
export async function written(fill: (writer: EvidenceWriter) => Promise<void>): Promise<Objects> {
  const sink = memorySink();
  const signal = AbortSignal.timeout(WAIT_MS_MAX);
  await using writer = await evidenceWriter({ sink, header: HEADER, level: 1 }, signal);
  await fill(writer);
  const { objects } = await writer.end();
  const [archive, manifest] = objects.map(({ name }) => sink.objects.get(name));
  if (archive === undefined || manifest === undefined) throw new Error('no objects');
  return { archive, manifest };
}

/** Verifies a capture in memory; its bytes come in pieces of odd sizes. */
export async function verified(objects: Objects): Promise<CaptureReport> {
  const { archive, manifest } = objects;
  const signal = AbortSignal.timeout(WAIT_MS_MAX);
  return await verifyCapture({ archive: pieces(archive), manifest: pieces(manifest) }, signal);
}

/** A stream of a buffer, in pieces of odd sizes. */
export async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  let size = 1;
  for (let at = 0; at < bytes.length; at += size) {
    size = ((size * 7 + 3) % 5_003) + 1;
    yield bytes.subarray(at, at + size);
  }
}

// SPDX-License-Identifier: Apache-2.0
import { randomFillSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directorySink } from '@impound/evidence/directory-sink.ts';
import { HEADER } from '@impound/evidence/testing/specimen.ts';
import { verifyCaptureDirectory } from '@impound/evidence/verify.ts';
import { evidenceWriter } from '@impound/evidence/writer.ts';

const MIB = 1_024 * 1_024;
const SIZE = 300 * MIB;
const signal = AbortSignal.timeout(280_000);

let peak = 0;
const timer = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().rss);
}, 5);

async function* noise(): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(MIB);
  for (let sent = 0; sent < SIZE; sent += chunk.length) yield randomFillSync(chunk);
}

/** How much more memory was in use while something ran. */
async function growth(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage().rss;
  peak = before;
  await work();
  return peak - before;
}

const directory = await mkdtemp(join(tmpdir(), 'impound-memory-'));
try {
  let stored = 0;
  const writing = await growth(async () => {
    const sink = directorySink(directory);
    await using writer = await evidenceWriter({ sink, header: HEADER, level: 1 }, signal);
    await writer.file({ area: 'files', path: '/big', size: SIZE }, noise());
    const { objects } = await writer.end();
    stored = objects[0]?.bytes ?? 0;
  });
  let ok = false;
  let content = 0;
  const verifying = await growth(async () => {
    const report = await verifyCaptureDirectory(directory, {}, signal);
    ok = report.ok;
    content = report.bytes;
  });
  process.stdout.write(JSON.stringify({ content, stored, writing, verifying, ok }));
} finally {
  clearInterval(timer);
  await rm(directory, { recursive: true, force: true });
}

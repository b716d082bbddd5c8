// SPDX-License-Identifier: Apache-2.0
import { EvidenceFault } from './fault.ts';
import { fileStream } from './file-stream.ts';

/** A whole file of at most so many bytes. Rejects with EvidenceFault `limit-exceeded` beyond. */
export async function readSmallFile(path: string, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of fileStream(path)) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new EvidenceFault('limit-exceeded', `more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

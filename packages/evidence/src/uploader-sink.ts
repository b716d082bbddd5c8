// SPDX-License-Identifier: Apache-2.0
import type { EvidenceSink } from './sink.ts';
import { type UploadOptions, uploadSession } from './upload.ts';

/** Gives the URL of an upload session for an object of this name; asked once per object. */
export type OpenSession = (name: string, signal: AbortSignal) => Promise<string>;

/** Stores the objects of a capture through upload sessions. Rejects with UploadFault. */
export function uploaderSink(
  open: OpenSession,
  options: Omit<UploadOptions, 'name' | 'url'> = {},
): EvidenceSink {
  return {
    object: async (name, signal) =>
      await uploadSession({ ...options, name, url: await open(name, signal) }, signal),
  };
}

// SPDX-License-Identifier: Apache-2.0
import type { EvidenceSink } from './sink.ts';
import { type UploadOptions, uploadSession } from './upload.ts';

/**
 * Gives the URL of the upload session for an object of this name; asked again when a URL is not
 * good any more.
 */
export type OpenSession = (name: string, signal: AbortSignal) => Promise<string>;

/** Stores the objects of a capture through upload sessions. Rejects with UploadFault. */
export function uploaderSink(
  open: OpenSession,
  options: Omit<UploadOptions, 'name' | 'url' | 'renew'> = {},
): EvidenceSink {
  return {
    object: async (name, signal) => {
      const renew = (until: AbortSignal) => open(name, until);
      return await uploadSession({ ...options, name, url: await renew(signal), renew }, signal);
    },
  };
}

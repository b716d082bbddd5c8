// SPDX-License-Identifier: Apache-2.0

/** Why the writer, the reader or the bag writer could not do what it was asked. */
export type EvidenceFaultCode =
  | 'path-refused'
  | 'path-duplicate'
  | 'path-conflict'
  | 'names-exhausted'
  | 'time-refused'
  | 'entry-refused'
  | 'file-too-large'
  | 'content-short'
  | 'content-long'
  | 'content-failed'
  | 'writer-closed'
  | 'object-mismatch'
  | 'object-exists'
  | 'bag-exists'
  | 'bag-refused'
  | 'frame-broken'
  | 'frame-refused'
  | 'frame-too-large'
  | 'archive-truncated'
  | 'archive-refused'
  | 'tar-broken'
  | 'tar-truncated'
  | 'trailing-data'
  | 'line-too-long'
  | 'limit-exceeded';

/** A fault of evidence or of who handles it; the message says what and where. */
export class EvidenceFault extends Error {
  readonly code: EvidenceFaultCode;

  constructor(code: EvidenceFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EvidenceFault';
    this.code = code;
  }
}

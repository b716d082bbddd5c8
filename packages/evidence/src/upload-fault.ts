// SPDX-License-Identifier: Apache-2.0

/** Why bytes could not be stored. Each means something else to whoever decides what comes next. */
export type UploadFaultCode =
  | 'store-full'
  | 'digest-mismatch'
  | 'session-expired'
  | 'store-unreachable'
  | 'part-conflict'
  | 'part-too-large'
  | 'upload-refused'
  | 'answer-invalid'
  | 'url-refused';

/** An upload that failed for good. The message never holds the URL, which is a secret. */
export class UploadFault extends Error {
  readonly code: UploadFaultCode;
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined;

  constructor(code: UploadFaultCode, message: string, status?: number) {
    super(message);
    this.name = 'UploadFault';
    this.code = code;
    this.status = status;
  }
}

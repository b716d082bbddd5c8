// SPDX-License-Identifier: Apache-2.0

/** Why a collector stream cannot be taken for what it should be. */
export type CollectorFaultCode =
  | 'truncated'
  | 'garbage'
  | 'too-large'
  | 'digest-mismatch'
  | 'unexpected-version';

/** A stream that cannot be read further; what came before it stands, the whole does not. */
export class CollectorFault extends Error {
  override readonly name = 'CollectorFault';
  readonly code: CollectorFaultCode;
  /** How many bytes of the stream were understood before this. */
  readonly atByte: number;

  constructor(code: CollectorFaultCode, message: string, atByte: number) {
    super(`${message} (byte ${atByte} of the collector stream)`);
    this.code = code;
    this.atByte = atByte;
  }
}

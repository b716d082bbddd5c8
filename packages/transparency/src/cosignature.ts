// SPDX-License-Identifier: Apache-2.0
import { NUMBER_MAX } from './decimal.ts';

const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** What a witness signs of a checkpoint that it saw (C2SP tlog-cosignature, cosignature/v1). */
export function cosignedMessage(time: bigint, noteText: string): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${noteText}`);
}

/** The bytes of a cosignature behind the key's id: the time, and the signature over it. */
export function writeCosignature(time: bigint, signature: Uint8Array): Buffer {
  const bytes = Buffer.alloc(TIME_BYTES);
  bytes.writeBigUInt64BE(time);
  return Buffer.concat([bytes, signature]);
}

/** Parts a cosignature into time and signature; undefined where it has another length or time. */
export function readCosignature(
  bytes: Buffer,
): { readonly time: bigint; readonly signature: Buffer } | undefined {
  if (bytes.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const time = bytes.readBigUInt64BE();
  return time <= NUMBER_MAX ? { time, signature: bytes.subarray(TIME_BYTES) } : undefined;
}

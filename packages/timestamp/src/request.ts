// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/** SHA-256 as an AlgorithmIdentifier (RFC 5754), with the NULL that every authority takes. */
const SHA256 = Buffer.from('300d06096086480165030402010500', 'hex');
const VERSION_1 = Buffer.from([0x02, 0x01, 0x01]);
/** certReq TRUE: a token without its certificate could be checked by nobody in ten years. */
const WITH_CERTIFICATE = Buffer.from([0x01, 0x01, 0xff]);

/** A TimeStampReq (RFC 3161, 2.4.1) for these bytes; `nonce` makes an answer good for once only. */
export function timestampRequest(data: Uint8Array, nonce: Uint8Array): Buffer {
  const digest = createHash('sha256').update(data).digest();
  const imprint = der(0x30, Buffer.concat([SHA256, der(0x04, digest)]));
  return der(0x30, Buffer.concat([VERSION_1, imprint, unsigned(nonce), WITH_CERTIFICATE]));
}

/** An INTEGER that is not negative, in the one form that DER allows. */
function unsigned(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const bare = first === -1 ? Buffer.alloc(0) : Buffer.from(bytes.subarray(first));
  const signed = (bare[0] ?? 0x80) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bare]) : bare;
  return der(0x02, signed);
}

/** Every part of a request is short: one length byte is enough for all of them. */
function der(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}

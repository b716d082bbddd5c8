// SPDX-License-Identifier: Apache-2.0
import { createHmac, timingSafeEqual } from 'node:crypto';

/** The three headers of Standard Webhooks (https://www.standardwebhooks.com). */
export interface Signed {
  readonly id: string;
  readonly timestamp: string;
  /** One or more of `v1,<base64>`, divided by spaces. */
  readonly signature: string;
}

/** How far the clocks of a sender and ours may be apart. */
export const SKEW_SECONDS_MAX = 300;
const SIGNATURES_MAX = 16;

/** Whether a timestamp is one and near enough; told before any signature is computed. */
export function isTimely({ timestamp }: Signed, nowMs: number): boolean {
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  return Math.abs(Math.floor(nowMs / 1_000) - Number(timestamp)) <= SKEW_SECONDS_MAX;
}

/** `v1,` and the base64 of the HMAC-SHA256 of id, timestamp and body. */
export function signatureOf(
  secret: string,
  { id, timestamp }: Omit<Signed, 'signature'>,
  body: Uint8Array | string,
): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body);
  return `v1,${mac.digest('base64')}`;
}

/** Whether one of the signatures is the one of this secret; all are compared, in constant time. */
export function isSigned(secret: string, signed: Signed, body: Uint8Array): boolean {
  const expected = Buffer.from(signatureOf(secret, signed, body));
  let found = false;
  for (const one of signed.signature.split(' ').slice(0, SIGNATURES_MAX)) {
    const given = Buffer.from(one);
    if (given.length === expected.length && timingSafeEqual(given, expected)) found = true;
  }
  return found;
}

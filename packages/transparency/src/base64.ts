// SPDX-License-Identifier: Apache-2.0

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The bytes of standard base64 (RFC 4648 section 4) in its only form, or undefined. */
export function fromBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  // Bits that are thrown away at the end would give one value many texts.
  return bytes.toString('base64') === text ? bytes : undefined;
}

// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { isSigned } from './note.ts';

/** SHA-256 and Ed25519 over texts in UTF-8; keys and signatures are base64, digests hex. */
export const signedText = {
  sha256: (text: string) => hash('sha256', text, 'hex'),
  isSigned: (publicKey: string, text: string, signature: string) =>
    isSigned(bytesOf(publicKey), Buffer.from(text, 'utf8'), bytesOf(signature)),
};

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}

// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { StatementTools } from '@impound/contracts/statement-check.ts';
import { isSigned } from '@impound/transparency/note.ts';

/** Checks statements by Ed25519 and SHA-256. */
export const nodeStatements: StatementTools = {
  sha256: (text) => hash('sha256', text, 'hex'),
  isSigned: (publicKey, text, signature) =>
    isSigned(bytesOf(publicKey), Buffer.from(text, 'utf8'), bytesOf(signature)),
};

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}

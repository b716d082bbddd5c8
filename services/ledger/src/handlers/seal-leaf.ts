// SPDX-License-Identifier: Apache-2.0
import type { Signer } from '@impound/transparency/log-keys.ts';
import {
  sigsumChecksum,
  sigsumHash,
  sigsumLeafBytes,
  sigsumLeafMessage,
} from '@impound/transparency/sigsum.ts';

/** The 128 bytes by which sigsum keeps a seal: the submitter has signed its entry's checksum. */
export async function sealLeaf(submitter: Signer, seal: string): Promise<Buffer> {
  const checksum = sigsumChecksum(Buffer.from(seal, 'utf8'));
  const signature = Buffer.from(await submitter.sign(sigsumLeafMessage(checksum)));
  return sigsumLeafBytes({ checksum, signature, keyHash: sigsumHash(submitter.publicKey) });
}

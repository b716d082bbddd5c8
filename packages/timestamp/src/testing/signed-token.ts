// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignedData, TimeStampResp } from 'pkijs';
import { timestampRequest } from '../request.ts';
import type { OpensslAuthority, Signer } from './openssl-authority.ts';

const NONCE = Buffer.from('00ff34567890abcdef1234567890abcd', 'hex');

/**
 * `openssl ts` refuses to sign with a certificate that is unfit; `openssl cms` does not ask. So the
 * content of a good token is signed by it, and put into an answer.
 */
export async function signedBy(
  authority: OpensslAuthority,
  signer: Signer,
  data: Uint8Array,
): Promise<Buffer> {
  const good = TimeStampResp.fromBER(await authority.reply(timestampRequest(data, NONCE)));
  const { eContent } = new SignedData({ schema: good.timeStampToken?.content }).encapContentInfo;
  if (eContent === undefined) throw new Error('the token signs nothing');
  await writeFile(join(authority.dir, 'content'), Buffer.from(eContent.getValue()));
  const how = ['-nodetach', '-binary', '-cades', '-md', 'sha256', '-outform', 'DER'];
  const type = ['-econtent_type', '1.2.840.113549.1.9.16.1.4'];
  const by = ['-signer', `${signer}.pem`, '-inkey', 'tsa.key', '-in', 'content', '-out', 'cms'];
  await authority.openssl('cms', '-sign', ...how, ...type, ...by);
  const cms = await readFile(join(authority.dir, 'cms'));
  const status = Buffer.from('3003020100', 'hex');
  const length = Buffer.alloc(4, 0x82);
  length[0] = 0x30;
  length.writeUInt16BE(status.length + cms.length, 2);
  return Buffer.concat([length, status, cms]);
}

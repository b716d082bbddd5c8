// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@impound/runtime/secret.ts';
import { formatVkey } from '@impound/transparency/vkey.ts';
import { makeStateFile } from './state-file.ts';
import { signerOf } from './witness.ts';

/**
 * Makes the key and the empty memory of a new witness in a directory. Gives its verifier key.
 * Rejects where one of both is there: a witness begins once.
 */
export async function initWitness(directory: string, name: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const { vkey } = signerOf({ WITNESS_NAME: name, WITNESS_KEY: new Secret(pem) });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, 'key.pem'), pem, { flag: 'wx', mode: 0o600 });
  await makeStateFile(join(directory, 'state.json'));
  return formatVkey(vkey);
}

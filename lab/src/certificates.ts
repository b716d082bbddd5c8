// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tool } from './runtime/tools.ts';

const run = promisify(execFile);
const DAYS = 2;
const EXTENSIONS =
  'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes\n' +
  'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n';

/** The PEM texts a TLS server and its clients need. */
export interface Certificates {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes a private certificate authority and a certificate for 127.0.0.1; keys stay in memory. */
export async function makeCertificates(days = DAYS): Promise<Certificates> {
  const valid = ['-days', String(days)];
  const directory = await mkdtemp(join(tmpdir(), 'impound-lab-ca-'));
  const openssl = (...args: string[]) => run(tool('openssl'), args, { cwd: directory });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  try {
    await writeFile(join(directory, 'extensions'), EXTENSIONS);
    const self = ['req', '-x509', ...newKey, ...valid, '-subj', '/CN=impound-lab-ca'];
    await openssl(...self, '-keyout', 'ca.key', '-out', 'ca.pem');
    const ask = ['req', ...newKey, '-subj', '/CN=impound-lab'];
    await openssl(...ask, '-keyout', 'server.key', '-out', 'server.csr');
    const sign = ['x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key'];
    const how = ['-CAcreateserial', ...valid, '-extfile', 'extensions'];
    await openssl(...sign, ...how, '-out', 'server.pem');
    const read = (name: string) => readFile(join(directory, name), 'utf8');
    return {
      authority: await read('ca.pem'),
      certificate: await read('server.pem'),
      key: await read('server.key'),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const CONFIG = `
[ca]
default_ca = one
[one]
database = index.txt
new_certs_dir = .
serial = serial
rand_serial = yes
default_md = sha256
default_days = 2
default_crl_days = 2
unique_subject = no
policy = any
x509_extensions = leaf
[any]
organizationName = optional
commonName = supplied
[leaf]
subjectAltName = IP:127.0.0.1,DNS:localhost
basicConstraints = CA:FALSE
`;

/** A certificate on disk, with its key. */
export interface OnDisk {
  readonly cert: string;
  readonly key: string;
  readonly sha256: string;
}

/** A certificate authority of openssl's, which ends with the test. */
export async function authority(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'impound-gateway-ca-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  await writeFile(join(folder, 'ca.conf'), CONFIG);
  await writeFile(join(folder, 'index.txt'), '');
  await openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-days',
    '2',
    '-subj',
    '/CN=test-ca',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  const sign = ['ca', '-batch', '-config', 'ca.conf', '-cert', 'ca.pem', '-keyfile', 'ca.key'];
  const issue = async (name: string, subject: string, ...more: string[]): Promise<OnDisk> => {
    const [key, csr, cert] = ['key', 'csr', 'pem'].map((kind) => `${name}.${kind}`) as [
      string,
      string,
      string,
    ];
    await openssl('req', ...NEW_KEY, '-subj', subject, '-keyout', key, '-out', csr);
    await openssl(...sign, '-notext', '-in', csr, '-out', cert, ...more);
    const pem = await readFile(join(folder, cert));
    const sha256 = new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
    return { cert: join(folder, cert), key: join(folder, key), sha256 };
  };
  return {
    ca: join(folder, 'ca.pem'),
    crl: join(folder, 'crl.pem'),
    issue,
    expired: (name: string, subject: string) =>
      issue(name, subject, '-startdate', '20200101000000Z', '-enddate', '20200102000000Z'),
    /** Revokes a certificate, if one is given, and writes the list of those that are. */
    revoke: async (one?: OnDisk) => {
      if (one !== undefined) await openssl(...sign, '-revoke', one.cert);
      await openssl(...sign, '-gencrl', '-out', 'crl.pem');
    },
  };
}

// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Something that ends with a test. */
interface Ending {
  after(work: () => Promise<void>): void;
}

/** A time stamping authority made of `openssl ts`: not a line of it is ours. */
export interface OpensslAuthority {
  readonly url: URL;
  /** The certificate of its root, in PEM. */
  readonly root: string;
  /** Runs openssl in the authority's folder; gives what it prints. Rejects where it fails. */
  openssl(...args: string[]): Promise<string>;
  /** Has it answer a request, signed with one of its certificates. */
  reply(request: Uint8Array, signer?: Signer): Promise<Buffer>;
  /** What `openssl ts -verify` says of a token: true, or the reason. */
  verify(token: Uint8Array, data: Uint8Array): Promise<true | string>;
  readonly dir: string;
  /** Makes every answer another one; undefined: as it should be. */
  answers: ((token: Buffer) => { status?: number; type?: string; body: Uint8Array }) | undefined;
}

/** The certificates it has: good, expired, of a root that nobody trusts, and for web servers. */
export type Signer = 'good' | 'expired' | 'stranger' | 'server' | 'both';

const CONFIGURATION = `[tsa]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`;

const USAGE: Readonly<Record<Signer, string>> = {
  good: 'critical,timeStamping',
  expired: 'critical,timeStamping',
  stranger: 'critical,timeStamping',
  server: 'serverAuth',
  both: 'critical,timeStamping,serverAuth',
};

/** Opens one on a free port; `algorithm` is that of its keys. */
export async function opensslAuthority(
  t: Ending,
  algorithm: 'ec' | 'rsa' = 'ec',
): Promise<OpensslAuthority> {
  const dir = await mkdtemp(join(tmpdir(), 'impound-tsa-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const openssl = async (...args: string[]) => (await run('openssl', args, { cwd: dir })).stdout;
  await makeCertificates({ dir, openssl, algorithm });
  const reply = replying(dir, openssl);
  const authority: OpensslAuthority = {
    dir,
    url: new URL('http://127.0.0.1'),
    root: await readFile(join(dir, 'root.pem'), 'utf8'),
    openssl,
    reply,
    verify: async (token, data) => {
      await writeFile(join(dir, 'token'), token);
      await writeFile(join(dir, 'data'), data);
      const args = ['ts', '-verify', '-data', 'data', '-in', 'token', '-CAfile', 'root.pem'];
      return openssl(...args).then(
        () => true as const,
        (error: { stderr: string }) => error.stderr,
      );
    },
    answers: undefined,
  };
  return Object.assign(authority, { url: await serve(t, authority) });
}

type Openssl = OpensslAuthority['openssl'];

async function makeCertificates(at: {
  readonly dir: string;
  readonly openssl: Openssl;
  readonly algorithm: 'ec' | 'rsa';
}): Promise<void> {
  const { dir, openssl } = at;
  await writeFile(join(dir, 'tsa.cnf'), CONFIGURATION);
  const kind = at.algorithm === 'ec' ? 'ec_paramgen_curve:P-256' : 'rsa_keygen_bits:2048';
  const key = ['-newkey', at.algorithm, '-pkeyopt', kind, '-nodes'];
  for (const root of ['root', 'strange-root']) {
    const files = ['-keyout', `${root}.key`, '-out', `${root}.pem`];
    await openssl('req', '-x509', ...key, ...files, '-subj', `/CN=${root}`, '-days', '30');
  }
  await openssl('req', ...key, '-keyout', 'tsa.key', '-out', 'tsa.csr', '-subj', '/CN=tsa');
  let serial = 100;
  for (const [signer, usage] of Object.entries(USAGE)) {
    const root = signer === 'stranger' ? 'strange-root' : 'root';
    const days = signer === 'expired' ? '-1' : '30';
    await writeFile(join(dir, `${signer}.ext`), `extendedKeyUsage=${usage}\n`);
    const by = ['-CA', `${root}.pem`, '-CAkey', `${root}.key`, '-set_serial', String(serial++)];
    const out = ['-extfile', `${signer}.ext`, '-out', `${signer}.pem`];
    await openssl('x509', '-req', '-in', 'tsa.csr', '-days', days, ...by, ...out);
  }
}

function replying(dir: string, openssl: Openssl): OpensslAuthority['reply'] {
  let last: Promise<unknown> = Promise.resolve();
  const once = async (request: Uint8Array, signer: Signer) => {
    await writeFile(join(dir, 'request'), request);
    const signed = ['-signer', `${signer}.pem`, '-inkey', 'tsa.key', '-out', 'answer'];
    const config = ['-config', 'tsa.cnf', '-section', 'tsa', '-queryfile', 'request'];
    await openssl('ts', '-reply', ...config, ...signed);
    return readFile(join(dir, 'answer'));
  };
  return (request, signer = 'good') => {
    const answered = last.then(() => once(request, signer));
    last = answered.catch(() => undefined);
    return answered;
  };
}

async function serve(t: Ending, authority: OpensslAuthority): Promise<URL> {
  const server = createServer(async (request, response) => {
    const token = await authority.reply(await bytesOf(request));
    const other = authority.answers?.(token);
    const { status = 200, type = 'application/timestamp-reply', body = token } = other ?? {};
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

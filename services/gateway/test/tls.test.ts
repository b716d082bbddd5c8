// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ConfigFault } from '@impound/runtime/config.ts';
import { readTls } from '../src/adapters/http-listen.ts';
import { authority, type OnDisk } from './authority.ts';
import { house, LIMIT, ORDER, requester, TOKEN } from './gateway-in-a-house.ts';

const run = promisify(execFile);

const known = (id: string, mark: object) => ({
  id,
  kind: 'integration',
  tenant: 'default',
  credentials: [{ kind: 'certificate', id: 'key-1', ...mark }],
  clusters: ['*'],
  namespaces: ['*'],
  approval: 'never',
});

/** A gateway that ends TLS itself, and clients with certificates of several kinds. */
async function tlsHouse(t: Parameters<typeof house>[0]) {
  const ca = await authority(t);
  const other = await authority(t);
  const server = await ca.issue('server', '/CN=gateway');
  const client = await ca.issue('client', '/O=Shop/CN=by-print');
  const named = await ca.issue('named', '/O=Shop/CN=by-subject');
  const revoked = await ca.issue('revoked', '/O=Shop/CN=by-subject');
  const expired = await ca.expired('expired', '/O=Shop/CN=by-subject');
  const unknown = await ca.issue('unknown', '/O=Shop/CN=nobody');
  const forged = await other.issue('forged', '/O=Shop/CN=by-subject');
  await ca.revoke(revoked);
  const integrations = [
    known('by-print', { sha256: client.sha256 }),
    known('by-subject', { subject: 'O=Shop,CN=by-subject' }),
  ];
  const opened = await house(t, integrations, {
    GATEWAY_TLS_CERT_FILE: server.cert,
    GATEWAY_TLS_KEY_FILE: server.key,
    GATEWAY_TLS_CLIENT_CA_FILE: ca.ca,
    GATEWAY_TLS_CRL_FILE: ca.crl,
  });
  const certificates = { client, named, revoked, expired, unknown, forged };
  return { ...opened, ca: ca.ca, certificates };
}

/** curl's status, and what it was told. */
async function curl(url: string, ca: string, one?: OnDisk, ...more: string[]) {
  const shown = one === undefined ? [] : ['--cert', one.cert, '--key', one.key];
  const args = ['-sS', '--cacert', ca, ...shown, ...more, '-w', '\n%{http_code}', url];
  const { stdout } = await run('curl', args);
  const lines = stdout.split('\n');
  return { status: Number(lines.at(-1)), body: lines.slice(0, -1).join('\n') };
}

test('a client certificate lets in whom it is mapped to, and nobody else', LIMIT, async (t) => {
  const { url, ca, certificates, ledger } = await tlsHouse(t);
  const place = `${url}/v1/acquisitions`;
  assert.match(url, /^https:/);
  const json = ['-H', 'content-type: application/json', '-d', JSON.stringify(ORDER)];
  for (const [one, id] of [
    [certificates.client, 'by-print'],
    [certificates.named, 'by-subject'],
  ] as const) {
    const { status, body } = await curl(place, ca, one, ...json);
    assert.equal(status, 202, body);
    const { acquisitionId } = JSON.parse(body) as { acquisitionId: string };
    const actor = { id, kind: 'integration', authn: 'mutual-tls', credential: 'key-1' };
    assert.deepEqual(requester(ledger.chain(acquisitionId)), actor);
  }
  const bearer = ['-H', `authorization: Bearer ${TOKEN.siem}`];
  for (const name of ['revoked', 'expired', 'unknown', 'forged'] as const) {
    for (const more of [[], bearer]) {
      const { status, body } = await curl(place, ca, certificates[name], ...more);
      assert.equal(status, 401, `${name}: ${body}`);
    }
  }
  assert.equal((await curl(place, ca, undefined, ...bearer)).status, 200);
  assert.equal((await curl(place, ca)).status, 401);
});

test('openssl and Node speak to it, by TLS 1.2 and 1.3 and by nothing older', LIMIT, async (t) => {
  const { url, ca, certificates } = await tlsHouse(t);
  const { host, hostname, port } = new URL(url);
  const { cert, key } = certificates.client;
  for (const version of ['-tls1_2', '-tls1_3']) {
    const get = `GET /v1/acquisitions HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    const args = ['s_client', '-connect', host, '-CAfile', ca, '-cert', cert, '-key', key];
    const child = run('openssl', [...args, version, '-quiet', '-ign_eof', '-verify_return_error']);
    child.child.stdin?.end(get);
    assert.match((await child).stdout, /^HTTP\/1\.1 200 /m, version);
  }
  const old = run('openssl', [
    's_client',
    '-connect',
    host,
    '-tls1_1',
    '-cipher',
    'ALL:@SECLEVEL=0',
  ]);
  old.child.stdin?.end();
  await assert.rejects(old);
  const [pemCa, pemCert, pemKey] = await Promise.all([ca, cert, key].map((file) => readFile(file)));
  const options = {
    hostname,
    port,
    path: '/v1/acquisitions',
    ca: pemCa,
    cert: pemCert,
    key: pemKey,
  };
  const status = await new Promise((resolve, reject) => {
    const asked = request(options, (answer) => resolve(answer.resume().statusCode));
    asked.once('error', reject).end();
  });
  assert.equal(status, 200);
});

test('a certificate without its key, or a CA without TLS, stops the start', async () => {
  for (const files of [
    { cert: '/nowhere/cert.pem' },
    { clientCa: '/nowhere/ca.pem' },
    { cert: '/nowhere/cert.pem', key: '/nowhere/key.pem' },
    { cert: '/nowhere/cert.pem', key: '/nowhere/key.pem', crl: '/nowhere/crl.pem' },
  ]) {
    await assert.rejects(readTls(files), ConfigFault);
  }
  assert.equal(await readTls({}), undefined);
});

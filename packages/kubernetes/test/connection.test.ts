// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { getJson } from '../src/api.ts';
import {
  type ClusterConnection,
  connectionFromEndpoint,
  connectionFromKubeconfig,
  connectionInCluster,
} from '../src/connection.ts';
import { exec } from '../src/exec.ts';
import { selfSigned } from './certificates.ts';
import { type ScriptedCluster, scriptedCluster } from './scripted-cluster.ts';

const VERSION = { path: ['version'] };

function answering(): Promise<ScriptedCluster> {
  return scriptedCluster({ http: () => ({ status: 200, body: { major: '1', minor: '36' } }) });
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'impound-kubeconfig-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

async function version(connection: ClusterConnection, signal: AbortSignal): Promise<unknown> {
  return getJson(connection, VERSION, signal);
}

test('a private CA and a token of a kubeconfig are used, and no warning is due', async (t) => {
  await using cluster = await answering();
  const connection = await connectionFromKubeconfig({ text: cluster.kubeconfig() });
  assert.deepEqual(await version(connection, t.signal), { major: '1', minor: '36' });
  assert.equal(connection.cluster, 'prod-eu');
  assert.equal(connection.server.origin, cluster.server);
  assert.deepEqual(connection.warnings, []);
  assert.equal(cluster.seen[0]?.headers.authorization, 'Bearer test-token');
});

test('a server whose CA is not in the kubeconfig is not trusted', async (t) => {
  await using cluster = await answering();
  const other = Buffer.from(selfSigned('other', 'IP:127.0.0.1').cert).toString('base64');
  const text = cluster.kubeconfig({ 'certificate-authority-data': other });
  const connection = await connectionFromKubeconfig({ text });
  await assert.rejects(version(connection, t.signal), { code: 'tls-untrusted' });
  const run = exec(
    connection,
    { namespace: 'shop', pod: 'web', container: 'app', argv: ['id'] },
    t.signal,
  );
  await assert.rejects(run, { code: 'tls-untrusted' });
  assert.equal(cluster.seen.length, 0);
});

test('tls-server-name decides which name the certificate must have', async (t) => {
  await using cluster = await answering();
  for (const [name, code] of [
    ['cluster.test', undefined],
    ['elsewhere.test', 'tls-untrusted'],
  ] as const) {
    const text = cluster.kubeconfig({ 'tls-server-name': name });
    const asked = version(await connectionFromKubeconfig({ text }), t.signal);
    if (code) await assert.rejects(asked, { code });
    else await assert.doesNotReject(asked);
  }
});

test('insecure-skip-tls-verify is honoured where the file says so, with a warning', async (t) => {
  await using cluster = await answering();
  const skip = { 'certificate-authority-data': null, 'insecure-skip-tls-verify': true };
  const connection = await connectionFromKubeconfig({ text: cluster.kubeconfig(skip) });
  await assert.doesNotReject(version(connection, t.signal));
  assert.match(connection.warnings.join(), /not verified/);
});

test('a client certificate is presented, and renewed when its file changes', async (t) => {
  await using cluster = await answering();
  const path = folder(t);
  const write = (name: string) => {
    const made = selfSigned(name, 'DNS:client');
    writeFileSync(join(path, 'client.pem'), made.cert);
    writeFileSync(join(path, 'client.key'), made.key);
  };
  write('first');
  const user = { 'client-certificate': 'client.pem', 'client-key': 'client.key' };
  writeFileSync(join(path, 'config'), cluster.kubeconfig({}, user));
  const connection = await connectionFromKubeconfig({ path: join(path, 'config') });
  await version(connection, t.signal);
  write('second');
  await version(connection, t.signal);
  assert.deepEqual(
    cluster.seen.map((one) => one.clientCertificate),
    ['first', 'second'],
  );
});

test('a tokenFile is read anew for every connection', async (t) => {
  await using cluster = await answering();
  const path = folder(t);
  const config = join(path, 'config');
  writeFileSync(config, cluster.kubeconfig({}, { tokenFile: 'token' }));
  const connection = await connectionFromKubeconfig({ path: config });
  for (const token of ['one', 'two']) {
    writeFileSync(join(path, 'token'), `${token}\n`);
    await version(connection, t.signal);
    assert.equal(cluster.seen.at(-1)?.headers.authorization, `Bearer ${token}`);
  }
});

test('a credential plugin runs only when that is allowed', async (t) => {
  await using cluster = await answering();
  const status = '{"status":{"token":"from-plugin"}}';
  const plugin = { apiVersion: 'client.authentication.k8s.io/v1', command: 'echo', args: [status] };
  const text = cluster.kubeconfig({}, { exec: plugin });
  await assert.rejects(connectionFromKubeconfig({ text }), { code: 'exec-plugin-refused' });
  const connection = await connectionFromKubeconfig({ text }, { allowExecPlugins: true });
  await version(connection, t.signal);
  assert.equal(cluster.seen[0]?.headers.authorization, 'Bearer from-plugin');
});

test('a plugin that prints no credential fails without repeating what it printed', async (t) => {
  await using cluster = await answering();
  for (const printed of ['secret-token-in-plain', '{"kind":"secret-token-in-json"}']) {
    const text = cluster.kubeconfig({}, { exec: { command: 'echo', args: [printed] } });
    const connection = await connectionFromKubeconfig({ text }, { allowExecPlugins: true });
    await assert.rejects(version(connection, t.signal), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'credentials-failed');
      assert.doesNotMatch(`${error.stack}${String(error.cause)}`, /secret-token/);
      return true;
    });
  }
});

test('proxy-url carries both requests and exec', async (t) => {
  await using cluster = await scriptedCluster({
    http: () => ({ status: 200, body: {} }),
    exec: () => ({ status: 404 }),
  });
  const tunnels: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, client) => {
    tunnels.push(request.url ?? '');
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const text = cluster.kubeconfig({ 'proxy-url': address });
  const connection = await connectionFromKubeconfig({ text });
  await version(connection, t.signal);
  const target = { namespace: 'shop', pod: 'web', container: 'app', argv: ['id'] };
  await assert.rejects(exec(connection, target, t.signal), { code: 'not-found' });
  assert.equal(tunnels.length, 2);
});

test('an endpoint of a cloud asks for its token for every connection', async (t) => {
  await using cluster = await answering();
  let made = 0;
  const connection = connectionFromEndpoint({
    cluster: 'eks-prod',
    server: cluster.server,
    ca: cluster.certificate.cert,
    token: async () => `minted-${++made}`,
  });
  await version(connection, t.signal);
  await version(connection, t.signal);
  const seen = cluster.seen.map((one) => one.headers.authorization);
  assert.deepEqual(seen, ['Bearer minted-1', 'Bearer minted-2']);
});

test('a token with a line break never reaches a header', async (t) => {
  await using cluster = await answering();
  const text = cluster.kubeconfig({}, { token: 'a\r\nX-Evil: 1' });
  const connection = await connectionFromKubeconfig({ text });
  await assert.rejects(version(connection, t.signal), { code: 'credentials-failed' });
  assert.equal(cluster.seen.length, 0);
});

test('a client key that does not fit its certificate is a fault of the kubeconfig', async (t) => {
  await using cluster = await answering();
  const encode = (pem: string) => Buffer.from(pem).toString('base64');
  const [one, two] = [selfSigned('one', 'DNS:x'), selfSigned('two', 'DNS:x')];
  const user = { 'client-certificate-data': encode(one.cert), 'client-key-data': encode(two.key) };
  const connection = await connectionFromKubeconfig({ text: cluster.kubeconfig({}, user) });
  await assert.rejects(version(connection, t.signal), { code: 'kubeconfig-invalid' });
});

test('a YAML fault does not repeat the lines around it', async () => {
  const text = 'users:\n- name: x\n  user: {token: secret-token\n';
  await assert.rejects(connectionFromKubeconfig({ text }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'kubeconfig-invalid');
    assert.doesNotMatch(`${error.stack}${String(error.cause)}`, /secret-token/);
    return true;
  });
});

test('outside of a cluster the in-cluster way says what to do instead', async () => {
  await assert.rejects(connectionInCluster('/nonexistent'), { code: 'not-in-cluster' });
});

test('a closed port is unreachable', async (t) => {
  const cluster = await answering();
  const connection = await cluster.connect();
  await cluster[Symbol.asyncDispose]();
  await assert.rejects(version(connection, t.signal), { code: 'unreachable' });
});

test('in a pod the mounted service account is used, its token read anew', async (t) => {
  await using cluster = await answering();
  const root = folder(t);
  const mount = join(root, 'var/run/secrets/kubernetes.io/serviceaccount');
  mkdirSync(mount, { recursive: true });
  writeFileSync(join(mount, 'ca.crt'), cluster.certificate.cert);
  const { hostname, port } = new URL(cluster.server);
  // The kubelet tells a pod its API server in this way only, so the test does the same.
  const env = process.env;
  const names = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  Object.assign(env, names);
  t.after(() => {
    for (const name of Object.keys(names)) delete env[name];
  });
  const connection = await connectionInCluster(root);
  for (const token of ['bound-1', 'bound-2']) {
    writeFileSync(join(mount, 'token'), token);
    await version(connection, t.signal);
    assert.equal(cluster.seen.at(-1)?.headers.authorization, `Bearer ${token}`);
  }
});

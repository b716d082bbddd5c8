// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseEnv } from 'node:util';
import { Integrations } from '@impound/contracts/integration.ts';
import { Signers, signerSuccessionText } from '@impound/contracts/signer.ts';
import { statementSigner } from '@impound/runtime/statement.ts';
import { EXIT } from '../src/exit-code.ts';
import { tokenSha256 } from '../src/integrations.ts';
import { clean, impound } from './command-line.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'impound-init-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function filesIn(directory: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const texts = files.map(async (path) => [path, await readFile(path, 'utf8')] as const);
  return new Map(await Promise.all(texts));
}

const KUBECONFIG = {
  'current-context': 'c',
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'u', user: { token: 'planted-token' } }],
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
};

test('init makes secrets that only their account reads, shows none, and keeps what is there', async (t) => {
  const directory = join(await folder(t), 'deployment');
  const first = await impound(['init', directory]);
  assert.equal(first.code, EXIT.ok, first.err);
  const made = await filesIn(directory);
  assert.ok(made.size > 20, [...made.keys()].join());
  const account = process.getuid?.() === 0 ? 10_001 : process.getuid?.();
  for (const path of made.keys()) {
    const { mode, uid } = await stat(path);
    assert.equal(mode & 0o077, 0, path);
    if (/\/(secrets|bus)\/(?!nats)/.test(path)) assert.equal(uid, account, path);
  }
  const secrets = [...made].filter(([path]) => /\/secrets\/|\.nk$|\/token$/.test(path));
  clean(first, ...secrets.map(([, text]) => text.trim()).filter((text) => text !== ''));
  assert.equal((await impound(['init', directory])).code, EXIT.ok);
  assert.deepEqual(await filesIn(directory), made);
});

test('what follows from a secret follows its rotation, and everything else stays', async (t) => {
  const directory = await folder(t);
  await impound(['init', directory]);
  const before = await filesIn(directory);
  const password = join(directory, 'secrets', 'writer-password');
  await rm(password);
  const again = await impound(['init', directory, '--json']);
  assert.deepEqual(again.values[0]?.['made'], [
    'secrets/writer-password',
    'secrets/ledger-database-url',
  ]);
  const after = await filesIn(directory);
  assert.notEqual(after.get(password), before.get(password));
  const url = after.get(join(directory, 'secrets', 'ledger-database-url')) ?? '';
  assert.equal(new URL(url).password, after.get(password));
  const changed = [...after].filter(([path, text]) => before.get(path) !== text);
  assert.equal(changed.length, 2);
});

test('the gateway of the deployment knows the digest of the operator token, and not the token', async (t) => {
  const directory = await folder(t);
  await impound(['init', directory]);
  const token = await readFile(join(directory, 'token'), 'utf8');
  const text = await readFile(join(directory, 'gateway', 'integrations.json'), 'utf8');
  assert.ok(!text.includes(token));
  const [operator] = Integrations.parse(JSON.parse(text)).integrations;
  const [credential] = operator?.credentials ?? [];
  assert.equal(credential?.kind === 'token' && credential.sha256, tokenSha256(token));
});

test('compose.env tells where everything is and as whom containers run, and no secret', async (t) => {
  const directory = await folder(t);
  await impound(['init', directory]);
  const env = parseEnv(await readFile(join(directory, 'compose.env'), 'utf8'));
  assert.deepEqual(Object.keys(env).toSorted(), ['IMPOUND_DIR', 'IMPOUND_GID', 'IMPOUND_UID']);
  assert.equal(env['IMPOUND_DIR'], directory);
  assert.notEqual(env['IMPOUND_UID'], '0');
});

test('a cluster is named to those who collect and to those who read, each with its own account', async (t) => {
  const directory = await folder(t);
  const [collector, reader] = [join(directory, 'c.yaml'), join(directory, 'r.yaml')];
  await writeFile(collector, JSON.stringify(KUBECONFIG));
  await writeFile(reader, JSON.stringify(KUBECONFIG).replace('planted', 'reading'));
  const named = ['--cluster', 'prod', '--kubeconfig', collector, '--reader', reader];
  const done = await impound(['init', join(directory, 'd'), ...named]);
  assert.equal(done.code, EXIT.ok, done.err);
  clean(done, 'planted-token', 'reading-token');
  for (const [who, token] of [
    ['executor', 'planted'],
    ['discovery', 'reading'],
  ] as const) {
    const home = join(directory, 'd', 'clusters', who);
    const list = JSON.parse(await readFile(join(home, 'clusters.json'), 'utf8'));
    assert.deepEqual(list, { prod: { kubeconfig: `/etc/impound/${who}/prod.yaml` } });
    assert.match(await readFile(join(home, 'prod.yaml'), 'utf8'), new RegExp(`${token}-token`));
  }
});

const REFUSED: readonly (readonly [string, object, RegExp])[] = [
  [
    'names another file',
    { ...KUBECONFIG, users: [{ name: 'u', user: { tokenFile: 'planted-token' } }] },
    /tokenFile names a file/,
  ],
  [
    'runs a program',
    { ...KUBECONFIG, users: [{ name: 'u', user: { exec: { command: 'aws' } } }] },
    /runs "aws"/,
  ],
];
for (const [what, document, words] of REFUSED) {
  test(`a kubeconfig that ${what} is refused before anything is made`, async (t) => {
    const directory = await folder(t);
    const path = join(directory, 'kubeconfig');
    await writeFile(path, JSON.stringify(document));
    const made = join(directory, 'd');
    const done = await impound(['init', made, '--cluster', 'prod', '--kubeconfig', path]);
    assert.equal(done.code, EXIT.usage);
    assert.match(done.err, words);
    await assert.rejects(stat(made), /ENOENT/);
  });
}

test('a directory that a compose file cannot name is refused', async () => {
  const done = await impound(['init', '/tmp/a b$c']);
  assert.equal(done.code, EXIT.usage);
  assert.match(done.err, /name a directory with letters/);
});

test('services get keys to sign by, whose public halves are listed, and rotated under their word', async (t) => {
  const directory = await folder(t);
  await impound(['init', directory]);
  const statements = join(directory, 'statements');
  const file = join(statements, 'executor-kubernetes.pem');
  const list = async () =>
    Signers.parse(JSON.parse(await readFile(join(statements, 'signers.json'), 'utf8')));
  const before = await readFile(file, 'utf8');
  const publicOf = (pem: string) => statementSigner(pem).publicKey.toString('base64');
  const [first, ...others] = (await list())['executor-kubernetes'] ?? [];
  assert.deepEqual([first, others], [{ publicKey: publicOf(before) }, []]);
  const rotated = await impound(['signers', statements, '--rotate', 'executor-kubernetes']);
  assert.equal(rotated.code, EXIT.ok, rotated.err);
  const after = await readFile(file, 'utf8');
  clean(rotated, before.trim(), after.trim());
  const [, next] = (await list())['executor-kubernetes'] ?? [];
  assert.deepEqual([next?.publicKey, next?.vouched?.by], [publicOf(after), first?.publicKey]);
  const text = Buffer.from(signerSuccessionText('executor-kubernetes', publicOf(after)));
  const signature = Buffer.from(next?.vouched?.signature ?? '', 'base64');
  assert.ok(verify(null, text, createPublicKey(before), signature));
  const twice = await impound(['signers', statements, '--rotate', 'executor-kubernetes']);
  assert.match(twice.err, /end the rotation before with --finish/);
  assert.equal((await impound(['signers', statements, '--finish'])).code, EXIT.ok);
  assert.deepEqual((await list())['executor-kubernetes'], [next]);
  assert.deepEqual((await impound(['init', directory, '--json'])).values[0]?.['made'], []);
});

test('a key that was lost is made anew, with nobody who vouches for it', async (t) => {
  const directory = await folder(t);
  await impound(['init', directory]);
  await rm(join(directory, 'statements', 'uploader.pem'));
  const again = await impound(['init', directory, '--json']);
  assert.deepEqual(again.values[0]?.['made'], [
    'statements/uploader.pem',
    'statements/signers.json',
  ]);
  const text = await readFile(join(directory, 'statements', 'signers.json'), 'utf8');
  const [, next] = Signers.parse(JSON.parse(text))['uploader'] ?? [];
  assert.equal(next?.vouched, undefined);
  assert.equal((await impound(['signers', directory])).code, EXIT.usage);
});

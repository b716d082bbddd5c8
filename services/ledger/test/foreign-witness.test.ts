// SPDX-License-Identifier: Apache-2.0
// Where there is no sigsum-witness nothing is proven here, and the test says so.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { sshPublicKey } from '@impound/transparency/sigsum.ts';
import { someLeaves } from '@impound/transparency/testing/naive.ts';
import { type PaperLog, paperLog } from '@impound/transparency/testing/paper-log.ts';
import { KEY_TYPES, rawPublicKey, vkey } from '@impound/transparency/vkey.ts';
import { httpWitness } from '../src/adapters/http-witness.ts';

const PROGRAM = programs().find((path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

function programs(): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'sigsum-witness'));
}

/** Raw Ed25519 keys as sigsum reads them: the seed in the form of OpenSSH, unencrypted. */
function sshPrivateKey(seed: Buffer, key: Buffer): string {
  const text = (bytes: Buffer | string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(bytes));
    return Buffer.concat([length, Buffer.from(bytes)]);
  };
  const open = Buffer.concat([text('ssh-ed25519'), text(key)]);
  const check = Buffer.alloc(8, 7);
  const secret = Buffer.concat([check, open, text(Buffer.concat([seed, key])), text('')]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, -secret.length & 7);
  const count = Buffer.from([0, 0, 0, 1]);
  const parts = [text('none'), text('none'), text(''), count, text(open)];
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...parts,
    text(Buffer.concat([secret, padding])),
  ]);
  const lines = body.toString('base64').replaceAll(/.{70}/g, '$&\n');
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

async function foreignWitness(t: TestContext, log: PaperLog) {
  const folder = await mkdtemp(join(tmpdir(), 'impound-sigsum-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const key = rawPublicKey(privateKey);
  await writeFile(join(folder, 'key'), sshPrivateKey(seed, key), { mode: 0o600 });
  await writeFile(join(folder, 'log.pub'), `${sshPublicKey(log.vkey.key, 'log')}\n`);
  const port = await freePort();
  const files = ['-k', 'key', '--log-key', 'log.pub', '--state-file', 'state'];
  const args = [...files, '--url-prefix', 'w', `127.0.0.1:${port}`];
  const env = { ...process.env, GODEBUG: 'httpmuxgo121=0' };
  const child = spawn(String(PROGRAM), args, { cwd: folder, env, stdio: 'ignore' });
  t.after(async () => {
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  });
  await until(() => isOpen(port));
  const name = `sigsum.org/v1/witness/${createHash('sha256').update(key).digest('hex')}`;
  const known = vkey(name, KEY_TYPES.cosignature, key);
  const url = `http://127.0.0.1:${port}/w`;
  return (of: PaperLog) => httpWitness({ url, vkey: known, head: 'sigsum', logs: [of.vkey] });
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return await new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).then((open) => {
    socket.destroy();
    return open === true;
  });
}

test('a witness that others wrote cosigns what has grown, and refuses what has not', async (t) => {
  if (PROGRAM === undefined) {
    return t.skip('no sigsum-witness on the PATH: tools/servers.sh fetches it');
  }
  const log = paperLog('sigsum', someLeaves(1_001));
  const witnessOf = await foreignWitness(t, log);
  const show = async (of: PaperLog, old: number, size: number) => {
    const path = await of.consistency(old, size);
    return witnessOf(of).show({ old, path, note: await of.note(size) }, t.signal);
  };
  const first = await show(log, 0, 500);
  assert.ok(typeof first === 'object' && 'line' in first, JSON.stringify(first));
  const grown = await show(log, 500, 1_001);
  assert.ok(typeof grown === 'object' && 'line' in grown);
  assert.match(grown.line, /^\u2014 sigsum\.org\/v1\/witness\//);
  assert.deepEqual(await show(log, 500, 1_001), { holds: 1_001 });
  const forked = paperLog('sigsum', someLeaves(1_200, 'other'), log);
  assert.equal(await show(forked, 1_001, 1_200), 'inconsistent');
  assert.equal(await show(forked, 1_001, 1_001), 'inconsistent');
  const stranger = paperLog('sigsum', log.entries);
  await assert.rejects(show(stranger, 1_001, 1_001), /answers 404|answers 403/);
});

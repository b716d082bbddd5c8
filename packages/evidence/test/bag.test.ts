// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type BagContent, type BagObject, writeBag } from '@impound/evidence/bag.ts';
import type { FindingCode } from '@impound/evidence/finding.ts';
import { memorySink } from '@impound/evidence/testing/memory-sink.ts';
import { HEADER, pieces } from '@impound/evidence/testing/specimen.ts';
import { verifyBag } from '@impound/evidence/verify-bag.ts';
import { evidenceWriter } from '@impound/evidence/writer.ts';

const run = promisify(execFile);
const signal = AbortSignal.timeout(280_000);
const CHAIN = Buffer.from('{"acqSeq":1}\n{"acqSeq":2}\n');

let home = '';
let bag = '';
let objects: readonly (readonly [string, Buffer])[] = [];

async function captures(): Promise<readonly (readonly [string, Buffer])[]> {
  const sink = memorySink();
  for (const source of ['container', 'control-plane'] as const) {
    const header = { ...HEADER, source };
    await using writer = await evidenceWriter({ sink, header }, signal);
    const area = source === 'container' ? 'volatile' : 'context';
    await writer.file({ area, path: 'ps.txt' }, Buffer.from(`${source}\n`));
    await writer.file({ area, path: 'odd\n\\name' }, Buffer.from('odd'));
    await writer.end();
  }
  return [...sink.objects];
}

function object([name, content]: readonly [string, Buffer]): BagObject {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { name, bytes: content.length, sha256, content: pieces(content) };
}

function content(more: Partial<BagContent> = {}): BagContent {
  const info = { 'External-Identifier': HEADER.acquisitionId, 'Bagging-Date': '2026-11-23' };
  return { objects: objects.map(object), chain: pieces(CHAIN), info, ...more };
}

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'impound-bag-'));
  bag = join(home, 'bag');
  objects = await captures();
  await writeBag(bag, content(), signal);
});

after(() => rm(home, { recursive: true, force: true }));

test('a bag verifies, and its digest is that of its tag manifest', async () => {
  const report = await verifyBag(bag, signal);
  assert.deepEqual(report.findings, []);
  assert.deepEqual([...report.captures.keys()], ['evidence.tar.zst', 'context.tar.zst']);
  const tags = await readFile(join(bag, 'tagmanifest-sha256.txt'));
  assert.equal(report.sha256, createHash('sha256').update(tags).digest('hex'));
  assert.deepEqual(await readFile(join(bag, 'custody/chain.jsonl')), CHAIN);
});

test('the commands in README.txt check a bag without any program of ours', async () => {
  const text = await readFile(join(bag, 'README.txt'), 'utf8');
  const commands = text.split('\n').filter((line) => line.startsWith('$ '));
  assert.ok(commands.length >= 9);
  const script = ['set -e', ...commands.map((line) => line.slice(2))].join('\n');
  const { stdout } = await run('sh', ['-c', script], { cwd: bag });
  const good = stdout.split('\n').filter((line) => line.endsWith(': OK'));
  assert.equal(good.length, 5 + 5);
  const { sha256, archive } = JSON.parse(
    stdout.split('\n').find((line) => line.includes('"kind":"end"')) ?? '',
  );
  assert.ok(stdout.includes(`${sha256}  -`));
  assert.ok(stdout.includes(`${archive.sha256}  data/evidence.tar.zst`));
  const entry = createHash('sha256').update('\0{"acqSeq":2}').digest('hex');
  assert.ok(stdout.trimEnd().endsWith(`${entry}  -`));
});

test('a damaged file inside an archive is found by the commands in README.txt', async () => {
  const text = await readFile(join(bag, 'README.txt'), 'utf8');
  const check = text
    .split('\n')
    .find((line) => line.includes('sha256sums.txt") ') || line.includes('OLDPWD'));
  await writeFile(join(home, 'tree/volatile/ps.txt'), 'changed');
  await assert.rejects(run('sh', ['-c', check?.slice(2) ?? ''], { cwd: bag }), { code: 1 });
});

type Tamper = readonly [string, (copy: string) => Promise<unknown>, FindingCode];

const TAMPERS: readonly Tamper[] = [
  [
    'a chain cut short',
    (copy) => truncate(join(copy, 'custody/chain.jsonl'), 13),
    'bag-file-mismatch',
  ],
  [
    'a changed archive',
    (copy) => truncate(join(copy, 'data/evidence.tar.zst'), 90),
    'archive-truncated',
  ],
  ['a missing manifest', (copy) => rm(join(copy, 'data/manifest.jsonl')), 'object-missing'],
  ['a missing tag file', (copy) => rm(join(copy, 'bag-info.txt')), 'bag-file-missing'],
  ['a file too many', (copy) => writeFile(join(copy, 'data/x'), ''), 'bag-file-extra'],
  ['a link', (copy) => symlink('/etc/passwd', join(copy, 'data/x')), 'bag-file-refused'],
  ['a FIFO', (copy) => run('mkfifo', [join(copy, 'data/x')]), 'bag-file-refused'],
  [
    'another version',
    (copy) => writeFile(join(copy, 'bagit.txt'), 'BagIt-Version: 2.0\n'),
    'bag-invalid',
  ],
  [
    'a wrong Payload-Oxum',
    (copy) => writeFile(join(copy, 'bag-info.txt'), 'Payload-Oxum: 1.1\n'),
    'bag-invalid',
  ],
  [
    'a manifest that leads outside',
    (copy) => writeFile(join(copy, 'manifest-sha256.txt'), `${'0'.repeat(64)}  ../../etc/passwd\n`),
    'bag-invalid',
  ],
  [
    'a manifest of noise',
    (copy) => writeFile(join(copy, 'manifest-sha256.txt'), 'x\0\n'),
    'bag-invalid',
  ],
  ['no tag manifest', (copy) => rm(join(copy, 'tagmanifest-sha256.txt')), 'object-missing'],
  [
    'a checksum list of its own',
    (copy) => writeFile(join(copy, 'data/sha256sums.txt'), `${'0'.repeat(64)}  files/a\n`),
    'checksum-list-mismatch',
  ],
  [
    'a manifest in the place of another',
    (copy) => rename(join(copy, 'data/context-manifest.jsonl'), join(copy, 'data/manifest.jsonl')),
    'bag-file-mismatch',
  ],
];

for (const [name, tamper, code] of TAMPERS) {
  test(`a bag with ${name} gives ${code}`, async () => {
    const copy = join(home, `copy-${name.replaceAll(' ', '-')}`);
    await cp(bag, copy, { recursive: true });
    await tamper(copy);
    const report = await verifyBag(copy, signal);
    assert.equal(report.ok, false);
    const codes = report.findings.map((finding) => finding.code);
    assert.ok(codes.includes(code), JSON.stringify(report.findings));
  });
}

test('reports are told of the chain, lie in the bag, and the same content is the same bag', async () => {
  const reports = (chain: readonly Buffer[]) => [
    { name: 'told.txt', content: [Buffer.from(`${chain.length} entries`)] },
  ];
  const info = (chain: readonly Buffer[]) => ({ 'External-Identifier': String(chain.at(-1)) });
  const [one, two] = [join(home, 'told-1'), join(home, 'told-2')];
  const first = await writeBag(one, content({ reports, info }), signal);
  assert.equal(await readFile(join(one, 'custody/reports/told.txt'), 'utf8'), '2 entries');
  assert.match(await readFile(join(one, 'README.txt'), 'utf8'), /custody\/reports\/told\.txt/);
  assert.match(await readFile(join(one, 'bag-info.txt'), 'utf8'), /"acqSeq":2/);
  assert.deepEqual((await verifyBag(one, signal)).findings, []);
  assert.deepEqual(await writeBag(two, content({ reports, info }), signal), first);
  await writeFile(join(one, 'custody/reports/told.txt'), '3 entries');
  const [found] = (await verifyBag(one, signal)).findings;
  assert.equal(found?.code, 'bag-file-mismatch');
});

test('no directory at all is a finding', async () => {
  const report = await verifyBag(join(home, 'nowhere'), signal);
  assert.ok(report.findings.some(({ code }) => code === 'object-missing'));
});

test('an object that is not what the store promised leaves no bag behind', async () => {
  const directory = join(home, 'wrong');
  const [first, ...rest] = objects.map(object);
  assert.ok(first);
  const wrong = content({ objects: [{ ...first, sha256: '0'.repeat(64) }, ...rest] });
  await assert.rejects(writeBag(directory, wrong, signal), { code: 'object-mismatch' });
  await assert.rejects(readFile(join(directory, 'bagit.txt')), { code: 'ENOENT' });
});

test('a bag takes no directory that exists, and an object cannot name a way out', async () => {
  await assert.rejects(writeBag(bag, content(), signal), { code: 'bag-exists' });
  for (const name of ['../x', 'sha256sums.txt', '', '.hidden']) {
    const [first] = objects.map(object);
    assert.ok(first);
    const bad = writeBag(join(home, 'no'), content({ objects: [{ ...first, name }] }), signal);
    await assert.rejects(bad, { code: 'bag-refused' }, name);
  }
});

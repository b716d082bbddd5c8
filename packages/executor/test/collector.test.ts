// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AS_ROOT,
  collect,
  coverageOf,
  fileAt,
  finish,
  NOBODY,
  type Soil,
  soils,
  start,
  temporaryFolder,
} from './collector-run.ts';

const folder = temporaryFolder();
const tree = join(folder.path, 'tree');
const server = createServer();
const MIB = 1_048_576;
const BLOCKED_MS = 400;
let all: readonly Soil[] = [];

const ODD = ['new\nline', 'ends\n', "it's", '-n', '*', '[a-z]', '$(id)', '"', ' ', '\\n', '\u0001'];
const NAMES = [...ODD.map((name) => Buffer.from(name)), Buffer.from([0xff, 0xfe, 0x80])];
const at = (name: Buffer) => Buffer.concat([Buffer.from(`${tree}/`), name]);

before(async () => {
  const tools = join(folder.path, 'tools');
  mkdirSync(tools);
  mkdirSync(join(tree, 'deep/er/.hidden'), { recursive: true });
  all = soils(tools);
  for (const name of NAMES) writeFileSync(at(name), Buffer.concat([name, Buffer.from('\0\n\n')]));
  writeFileSync(join(tree, 'deep/er/.hidden/..x'), 'hidden');
  writeFileSync(join(tree, 'empty'), '');
  writeFileSync(join(tree, 'large'), randomBytes(3 * MIB + 7));
  symlinkSync('loop', join(tree, 'loop'));
  symlinkSync('..', join(tree, 'deep/up'));
  symlinkSync('no\nwhere\n', join(tree, 'dangling'));
  execFileSync('mkfifo', [join(tree, 'fifo')]);
  await new Promise<void>((done) => server.listen(join(tree, 'socket'), done));
});

after(async () => {
  await new Promise((done) => server.close(done));
  folder[Symbol.dispose]();
});

const EVERY = [0, 1, 2, 3];
const DASH_AND_BUSYBOX = [0, 3];

function eachSoil(
  says: string,
  run: (soil: Soil) => Promise<void>,
  soilIndices: readonly number[] = EVERY,
): void {
  for (const index of soilIndices) {
    test(`${['dash', 'bash', 'busybox ash', 'busybox tools'][index]}: ${says}`, async () => {
      const soil = all[index];
      assert.ok(soil);
      await run(soil);
    });
  }
}

eachSoil('a tree of odd names and kinds arrives byte for byte', async (soil) => {
  const records = await collect(soil, { profile: 'volatile', paths: [tree] });
  for (const name of NAMES) {
    const file = fileAt(records, at(name));
    assert.deepEqual(file?.data, readFileSync(at(name)), name.toString('latin1'));
    assert.equal(file?.end?.covered, 'pack');
    assert.equal(file?.end?.fault, undefined);
  }
  const large = fileAt(records, `${tree}/large`);
  assert.ok(large?.data?.equals(readFileSync(`${tree}/large`)));
  assert.equal(large?.end?.covered, 'alone');
  assert.deepEqual(large?.end?.flags, []);
  assert.equal(fileAt(records, `${tree}/empty`)?.data?.length, 0);
  assert.equal(fileAt(records, `${tree}/deep/er/.hidden/..x`)?.data?.toString(), 'hidden');
  assert.equal(fileAt(records, `${tree}/fifo`)?.type, 'fifo');
  assert.equal(fileAt(records, `${tree}/socket`)?.type, 'socket');
  assert.equal(fileAt(records, `${tree}/loop`)?.link?.toString(), 'loop');
  assert.equal(fileAt(records, `${tree}/deep/up`)?.link?.toString(), '..');
  assert.equal(fileAt(records, `${tree}/dangling`)?.link?.toString(), 'no\nwhere\n');
  const files = records.filter((record) => record.kind === 'file').length;
  assert.equal(files, NAMES.length + 12);
  assert.equal(coverageOf(records, tree)?.state, 'got');
});

eachSoil(
  'an openssl that makes no digests is not taken',
  async (soil) => {
    const [open] = await collect(soil, { profile: 'volatile' });
    assert.equal(open?.kind === 'open' && open.digestTool, 'sha256sum');
  },
  [3],
);

eachSoil(
  'what is absent and what is too large is said',
  async (soil) => {
    const sparse = join(folder.path, 'sparse');
    closeSync(openSync(sparse, 'w'));
    truncateSync(sparse, 2 ** 40);
    const absent = `${folder.path}/'no such\n'`;
    const parameters = { profile: 'volatile', fileBytesMax: MIB, paths: [sparse, absent] } as const;
    const records = await collect(soil, parameters);
    const file = fileAt(records, sparse);
    assert.equal(file?.size, 2 ** 40);
    assert.equal(file?.data?.length, MIB);
    assert.deepEqual(file?.end?.flags, ['capped']);
    assert.equal(coverageOf(records, sparse)?.reason, 'cap');
    assert.equal(coverageOf(records, absent)?.state, 'absent');
  },
  DASH_AND_BUSYBOX,
);

eachSoil(
  'a file that shrinks or grows while it is sent keeps its declared length',
  async (soil) => {
    const [shrinks, grows] = [join(folder.path, 'shrinks'), join(folder.path, 'grows')];
    for (const path of [shrinks, grows]) writeFileSync(path, Buffer.alloc(8 * MIB, 'x'));
    const child = start(soil, { profile: 'volatile', paths: [shrinks, grows] });
    const { records } = await finish(child, async (record) => {
      if (record.kind !== 'file') return;
      await delay(BLOCKED_MS);
      if (record.path.toString() === shrinks) truncateSync(shrinks, 4 * MIB);
      else appendFileSync(grows, Buffer.alloc(MIB, 'y'));
    });
    const shrunk = fileAt(records, shrinks);
    assert.equal(shrunk?.data?.length, 8 * MIB);
    assert.ok(shrunk?.end?.flags.includes('shrunk'));
    assert.equal(shrunk?.end?.read, 4 * MIB);
    assert.ok(shrunk?.data?.subarray(4 * MIB).every((byte) => byte === 0));
    const grown = fileAt(records, grows);
    assert.ok(grown?.data?.equals(Buffer.alloc(8 * MIB, 'x')));
    assert.ok(grown?.end?.flags.includes('grown'));
  },
);

eachSoil(
  'small files that move while they are sent together are sent again alone',
  async (soil) => {
    const several = join(folder.path, `several-${soil.name}`);
    mkdirSync(several);
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      writeFileSync(join(several, `f${n}`), Buffer.alloc(200_000 + n, String(n)));
    }
    const child = start(soil, { profile: 'volatile', paths: [several] });
    const { records } = await finish(child, async (record) => {
      if (record.kind !== 'file' || record.type !== 'directory') return;
      await delay(BLOCKED_MS);
      appendFileSync(join(several, 'f8'), 'more');
    });
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const path = join(several, `f${n}`);
      const file = fileAt(records, path);
      assert.ok(file?.data?.equals(readFileSync(path)), path);
      assert.equal(file?.end?.covered, 'alone');
    }
  },
);

eachSoil(
  'without rights a file is denied and the rest still comes',
  async (soil) => {
    const mixed = join(folder.path, 'mixed');
    mkdirSync(join(mixed, 'closed'), { recursive: true });
    writeFileSync(join(mixed, 'open'), 'open');
    writeFileSync(join(mixed, 'secret'), 'secret', { mode: 0o600 });
    writeFileSync(join(mixed, 'closed/inner'), 'inner');
    for (const name of ['secret', 'closed']) chmodSync(join(mixed, name), 0);
    const paths = [mixed, `${mixed}/secret`, `${mixed}/closed/inner`];
    const as = AS_ROOT ? { uid: NOBODY } : {};
    const records = await collect(soil, { profile: 'volatile', paths }, as);
    chmodSync(join(mixed, 'closed'), 0o755);
    assert.equal(fileAt(records, `${mixed}/open`)?.data?.toString(), 'open');
    assert.equal(fileAt(records, `${mixed}/open`)?.end?.covered, 'pack');
    assert.equal(fileAt(records, `${mixed}/secret`)?.withheld, 'permission');
    assert.equal(coverageOf(records, mixed)?.state, 'partial');
    assert.equal(coverageOf(records, mixed)?.reason, 'permission');
    assert.equal(coverageOf(records, `${mixed}/secret`)?.state, 'denied');
    assert.equal(coverageOf(records, `${mixed}/closed/inner`)?.state, 'denied');
  },
  DASH_AND_BUSYBOX,
);

eachSoil(
  'a byte budget leaves what is beyond it described and not sent',
  async (soil) => {
    const parameters = { profile: 'volatile', paths: [tree], bytesMax: 1_000 } as const;
    const records = await collect(soil, parameters);
    assert.equal(fileAt(records, `${tree}/large`)?.withheld, 'budget-bytes');
    assert.equal(coverageOf(records, tree)?.state, 'partial');
    const trailer = records.at(-1);
    assert.equal(trailer?.kind === 'trailer' && trailer.state, 'partial');
  },
  DASH_AND_BUSYBOX,
);

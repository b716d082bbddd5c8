// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, readlink, symlink } from 'node:fs/promises';

const MEBIBYTE = 1_048_576;
const SMALL_FILES = 3_000;
const SMALL_BYTES_MAX = 16_384;
const FOLDERS = 60;
/** Sizes in MiB: together with the small files 512 MiB. */
const LARGE = [200, 50, 45, 40, 35, 30, 25, 20, 15, 12, 10, 10];

/** Names that break what does not take them as bytes. */
const ODD_NAMES: readonly Buffer[] = [
  Buffer.from('two\nlines'),
  Buffer.from([0x6c, 0x61, 0x74, 0x69, 0x6e, 0xe9, 0xff, 0xfe]),
  Buffer.from('-rf'),
  Buffer.from('it\'s $HOME `id` \\ "quoted"'),
  Buffer.from(' spaces at both ends '),
  Buffer.from('tab\tand\rreturn'),
  Buffer.from('ünïcödé 🗃'),
  Buffer.from('.hidden'),
  Buffer.from('x'.repeat(255)),
  Buffer.from('*'),
];

/** Fills a directory with half a gibibyte of files of all sizes; gives how many bytes. */
export async function plantTree(root: string): Promise<number> {
  let bytes = 0;
  const put = async (path: string | Buffer, size: number) => {
    bytes += size;
    await write(path, size);
  };
  await mkdir(`${root}/large`, { recursive: true });
  for (const [index, size] of LARGE.entries()) {
    await put(`${root}/large/${index}.bin`, size * MEBIBYTE);
  }
  for (let index = 0; index < SMALL_FILES; index++) {
    const folder = `${root}/small/${index % FOLDERS}/${index % 3}`;
    await mkdir(folder, { recursive: true });
    await put(`${folder}/${index}.txt`, (index * 37) % SMALL_BYTES_MAX);
  }
  await mkdir(`${root}/odd/empty folder`, { recursive: true });
  for (const name of ODD_NAMES) await put(Buffer.concat([Buffer.from(`${root}/odd/`), name]), 100);
  await symlink('/etc/no\nsuch place', `${root}/odd/link`);
  return bytes;
}

/** Every second mebibyte is random, the others are as compressible as text is. */
async function write(path: string | Buffer, size: number): Promise<void> {
  await using file: FileHandle = await open(path, 'wx', 0o640);
  for (let at = 0; at < size; at += MEBIBYTE) {
    const length = Math.min(MEBIBYTE, size - at);
    const random = (at / MEBIBYTE) % 2 === 0;
    await file.write(random ? randomBytes(length) : Buffer.alloc(length, `line ${at} of a log\n`));
  }
}

/** What a tree holds, by the path's bytes in hexadecimal: type, mode, time, size, digest. */
export async function treeOf(root: Buffer): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  await walk(root, Buffer.alloc(0), found);
  return found;
}

async function walk(root: Buffer, below: Buffer, found: Map<string, string>): Promise<void> {
  const here = Buffer.concat([root, below]);
  for (const name of await readdir(here, { encoding: 'buffer' })) {
    const relative = Buffer.concat([below, Buffer.from('/'), name]);
    const path = Buffer.concat([root, relative]);
    const { mode, mtimeNs, size } = await lstat(path, { bigint: true });
    const type = Number(mode) & 0o170000;
    const common = `${Number(mode).toString(8)}`;
    if (type === 0o040000) {
      found.set(relative.toString('hex'), common);
      await walk(root, relative, found);
    } else if (type === 0o120000) {
      const target = await readlink(path, { encoding: 'buffer' });
      found.set(relative.toString('hex'), `link ${target.toString('hex')}`);
    } else {
      const digest = await digestOf(path);
      found.set(relative.toString('hex'), `${common} ${mtimeNs} ${size} ${digest}`);
    }
  }
}

async function digestOf(path: Buffer): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

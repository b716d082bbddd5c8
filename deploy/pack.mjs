// SPDX-License-Identifier: Apache-2.0
// `node deploy/pack.mjs ROOM TO`: what one image holds. Copies the rooms that npm has linked for
// ROOM, with their sources and dependencies, and nothing else. The same input gives the same files
// and times, so that the same commit gives the same layer.
import {
  cpSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

const [room = '', to = ''] = process.argv.slice(2);
const root = process.cwd();
const THEN = new Date('2026-01-01T00:00:00Z');

/** npm notes when and from where it installed; the programs it links are for people. */
const LEFT_OUT = ['node_modules/.package-lock.json', 'node_modules/.bin', 'node_modules/.cache'];
/** What only compilers and debuggers read. */
const NOT_RUN = /\.d\.[cm]?ts$|\.map$/;

function links(folder) {
  return readdirSync(folder)
    .flatMap((name) => (name.startsWith('@') ? links(join(folder, name)) : [join(folder, name)]))
    .filter((path) => lstatSync(path).isSymbolicLink());
}

const linked = links('node_modules');
const rooms = linked.map((link) => relative(root, realpathSync(link)));
if (!rooms.includes(room)) throw new Error(`npm has not linked ${room || 'the room'}: is it one?`);

mkdirSync(to, { recursive: true });
for (const one of rooms) {
  for (const part of ['package.json', 'src', 'node_modules']) {
    const from = join(one, part);
    if (existsSync(from)) cpSync(from, join(to, from), { recursive: true, verbatimSymlinks: true });
  }
}
cpSync('node_modules', join(to, 'node_modules'), {
  recursive: true,
  filter: (path) => !lstatSync(path).isSymbolicLink() && !NOT_RUN.test(path),
});
for (const path of LEFT_OUT) rmSync(join(to, path), { recursive: true, force: true });
for (const link of linked) {
  mkdirSync(dirname(join(to, link)), { recursive: true });
  symlinkSync(readlinkSync(link), join(to, link));
}
cpSync('deploy/health.mjs', join(to, 'health.mjs'));
for (const entry of readdirSync(to, { recursive: true })) {
  lutimesSync(join(to, entry), THEN, THEN);
}

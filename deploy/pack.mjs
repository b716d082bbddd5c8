// SPDX-License-Identifier: Apache-2.0
// `node deploy/pack.mjs ROOM TO`: what one image holds, out of a folder where npm has installed
// all. The sources of ROOM and of the rooms it stands on, and the packages that they need when they
// run. The same input gives the same files and times, so the same commit gives the same layer.
import {
  cpSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

const [room = '', to = ''] = process.argv.slice(2);
const root = process.cwd();
const THEN = new Date('2026-01-01T00:00:00Z');
/** What only compilers and debuggers read. */
const NOT_RUN = /\.d\.[cm]?ts$|\.map$/;

const rooms = new Set();
const packages = new Set();
const links = new Set();

/** Where Node finds a package that is imported in this folder. */
function find(folder, name) {
  for (let at = folder; ; at = dirname(at)) {
    const place = join(at, 'node_modules', name);
    if (existsSync(join(root, place))) return place;
    if (at === '.') return undefined;
  }
}

function add(folder, kind) {
  if (kind.has(folder)) return;
  kind.add(folder);
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = manifest;
  const wanted = { ...peerDependencies, ...optionalDependencies, ...dependencies };
  for (const name of Object.keys(wanted)) {
    const place = find(folder, name);
    if (place !== undefined) follow(place);
    else if (name in dependencies && !(name in optionalDependencies)) {
      throw new Error(`${folder} needs ${name}, which npm has not installed`);
    }
  }
}

function follow(place) {
  if (!lstatSync(place).isSymbolicLink()) return add(place, packages);
  links.add(place);
  add(relative(root, realpathSync(place)), rooms);
}

if (!existsSync(join(room, 'src'))) throw new Error(`${room || 'the room'}: there is no such room`);
add(room, rooms);
// Loaded before the program, which does not know of it.
add('packages/telemetry', rooms);
links.add('node_modules/@impound/telemetry');
for (const one of rooms) {
  for (const part of ['package.json', 'src']) {
    if (existsSync(join(one, part))) {
      cpSync(join(one, part), join(to, one, part), { recursive: true });
    }
  }
}
for (const one of packages) {
  const own = join(one, 'node_modules');
  const filter = (path) => path !== own && !NOT_RUN.test(path);
  cpSync(one, join(to, one), { recursive: true, filter });
}
for (const link of links) {
  mkdirSync(dirname(join(to, link)), { recursive: true });
  symlinkSync(readlinkSync(link), join(to, link));
}
cpSync('deploy/health.mjs', join(to, 'health.mjs'));
for (const entry of readdirSync(to, { recursive: true })) lutimesSync(join(to, entry), THEN, THEN);
lutimesSync(to, THEN, THEN);
process.stdout.write(`${room}: ${rooms.size} rooms, ${packages.size} packages\n`);

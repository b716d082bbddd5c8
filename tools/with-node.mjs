// SPDX-License-Identifier: Apache-2.0
// Runs a TypeScript file of this project: `node tools/with-node.mjs [--nats] FILE [ARGUMENT…]`.
// Plain JavaScript for Node 18 and newer: whatever is missing is fetched beside the project, into
// .tools and node_modules. With everything in place it only looks, and starts the program.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TOOLS = join(ROOT, '.tools');
const NODE = join(TOOLS, 'node_modules', 'node', 'bin', 'node');
const NODE_RANGE = '^24.12.0';
const NATS_FOLDER = join(TOOLS, 'nats-server');
const NATS = join(NATS_FOLDER, 'usr', 'sbin', 'nats-server');
/** What tools/servers.sh has fetched, if it was run. */
const SERVERS = join(TOOLS, 'servers');
const SBIN = ['/usr/sbin', '/usr/local/sbin'];
const LOCK_POLL_MS = 200;
const LOCK_WORDS_AFTER_MS = 1_000;

function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

class Stop extends Error {}

function suits(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major >= 26 || (major === 24 && minor >= 12);
}

function run(file, args, options = {}) {
  const { status, signal, error } = spawnSync(file, args, {
    stdio: ['ignore', 2, 2],
    cwd: ROOT,
    ...options,
  });
  if (error?.code === 'ENOENT') throw new Stop(`${file} is not installed`);
  if (signal === 'SIGINT' || signal === 'SIGTERM') process.exit(128 + constants.signals[signal]);
  return status === 0;
}

function versionOf(file) {
  return spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout ?? '';
}

// ---- one set-up at a time -------------------------------------------------------------------

const LOCK = join(TOOLS, 'lock');

/** The lock is a link that names its holder's process: made, with its content, in one step. */
function tryLock() {
  try {
    fs.symlinkSync(String(process.pid), LOCK);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function holderOf(lock) {
  try {
    return Number(fs.readlinkSync(lock));
  } catch {
    return undefined;
  }
}

function lives(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Moves a dead holder's lock away; gives it back if somebody alive was quicker. */
function breakLock(holder) {
  const away = `${LOCK}-${process.pid}`;
  try {
    fs.renameSync(LOCK, away);
    if (holderOf(away) === holder) fs.rmSync(away);
    else fs.renameSync(away, LOCK);
  } catch {
    // somebody else broke it
  }
}

function pause(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function locked(work) {
  fs.mkdirSync(TOOLS, { recursive: true });
  for (let waitedMs = 0; !tryLock(); waitedMs += LOCK_POLL_MS) {
    const holder = holderOf(LOCK);
    if (holder !== undefined && !lives(holder)) breakLock(holder);
    else pause(LOCK_POLL_MS);
    if (waitedMs === LOCK_WORDS_AFTER_MS) say(`process ${holder} is at it; waiting for it`);
  }
  try {
    for (const name of fs.readdirSync(TOOLS)) {
      if (name.startsWith('new-')) fs.rmSync(join(TOOLS, name), { recursive: true, force: true });
    }
    return work();
  } finally {
    fs.rmSync(LOCK, { force: true });
  }
}

// ---- Node -----------------------------------------------------------------------------------

function nodeAtHand() {
  if (suits(process.version)) return process.execPath;
  return fs.existsSync(NODE) ? NODE : undefined;
}

/** What the npm package `node` installs by a script: taken by its own name, no script runs. */
function nodePackage() {
  const { platform, arch } = process;
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node';
  return `${prefix}-${platform}-${arch}`;
}

function fetchNode() {
  say(`Node ${process.version} is too old: fetching Node 24 into .tools (about 45 MB, once)`);
  const fresh = fs.mkdtempSync(join(TOOLS, 'new-'));
  fs.writeFileSync(join(fresh, 'package.json'), '{"private":true}\n');
  const wanted = `node@npm:${nodePackage()}@${NODE_RANGE}`;
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--no-workspaces'];
  npm(['install', '--prefix', fresh, ...flags, wanted], { cwd: fresh });
  const binary = join(fresh, 'node_modules', 'node', 'bin', 'node');
  if (!suits(versionOf(binary))) {
    throw new Stop(`${wanted} does not run here. Install Node 24.12 or newer and try again`);
  }
  fs.rmSync(join(TOOLS, 'node_modules'), { recursive: true, force: true });
  fs.renameSync(join(fresh, 'node_modules'), join(TOOLS, 'node_modules'));
  fs.rmSync(fresh, { recursive: true, force: true });
}

function npm(args, options = {}) {
  const script = process.env['npm_execpath'] ?? '';
  const node = nodeAtHand() ?? process.execPath;
  const path = [dirname(node), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH: path, SCARF_ANALYTICS: 'false' };
  const [file, ...first] = script.endsWith('npm-cli.js') ? [node, script] : ['npm'];
  if (!run(file, [...first, ...args], { ...options, env })) {
    throw new Stop(`npm ${args[0]} failed; its words are above`);
  }
}

// ---- dependencies ---------------------------------------------------------------------------

function lockedPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(join(ROOT, file), 'utf8')).packages ?? {};
  } catch {
    return undefined;
  }
}

/** npm writes the inner lock file last: what it lists is there, and a cut installation has none. */
function dependenciesAtHand() {
  const wanted = lockedPackages('package-lock.json') ?? {};
  const installed = lockedPackages('node_modules/.package-lock.json');
  if (installed === undefined) return false;
  return Object.entries(wanted).every(([path, { version, link, optional }]) => {
    if (!path.startsWith('node_modules/')) return true;
    const found = installed[path];
    if (found === undefined) return optional === true;
    return found.version === version && found.link === link;
  });
}

/** Not `npm ci`: it refuses a lock file that lacks binaries for a platform nobody here runs. */
function fetchDependencies() {
  say('installing the dependencies that package-lock.json names (about 200 MB)');
  const folder = join(ROOT, 'node_modules');
  if (!fs.existsSync(join(folder, '.package-lock.json'))) {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  }
  npm(['install', '--no-save', '--no-audit', '--no-fund']);
  if (!dependenciesAtHand()) {
    throw new Stop('npm installed other versions than package-lock.json names; is it up to date?');
  }
}

// ---- nats-server ----------------------------------------------------------------------------

function natsAtHand() {
  const named = process.env['NATS_SERVER'];
  if (named) {
    if (fs.existsSync(named)) return named;
    throw new Stop(`NATS_SERVER names ${named}, which does not exist`);
  }
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SBIN];
  const places = folders.map((folder) => join(folder, 'nats-server'));
  return [...places, NATS].find((place) => fs.existsSync(place));
}

/** The signed Debian package, unpacked beside the project: no root, no system service. */
function fetchNats() {
  say('nats-server is missing: fetching it into .tools with apt-get (about 5 MB, once)');
  const fresh = fs.mkdtempSync(join(TOOLS, 'new-'));
  const got =
    fs.existsSync('/usr/bin/apt-get') && (download(fresh) || download(fresh, ownLists(fresh)));
  const packageFile = fs.readdirSync(fresh).find((name) => name.endsWith('.deb'));
  const target = join(fresh, 'unpacked');
  if (!got || !packageFile || !run('dpkg-deb', ['-x', join(fresh, packageFile), target])) {
    throw new Stop(howToGetNats());
  }
  if (versionOf(join(target, 'usr', 'sbin', 'nats-server')) === '') throw new Stop(howToGetNats());
  fs.rmSync(NATS_FOLDER, { recursive: true, force: true });
  fs.renameSync(target, NATS_FOLDER);
  fs.rmSync(fresh, { recursive: true, force: true });
}

function download(folder, options = []) {
  const quiet = ['-qq', '-o', 'APT::Sandbox::User=root', ...options];
  const stdio = options.length > 0 ? ['ignore', 2, 2] : 'ignore';
  return run('apt-get', [...quiet, 'download', 'nats-server'], { cwd: folder, stdio });
}

/** Package lists of our own, for a machine that has none or stale ones. */
function ownLists(folder) {
  say('the package lists of this machine do not do: fetching them too (about 10 MB)');
  const state = join(folder, 'apt');
  fs.mkdirSync(join(state, 'lists', 'partial'), { recursive: true });
  fs.mkdirSync(join(state, 'cache', 'archives', 'partial'), { recursive: true });
  const options = ['-o', `Dir::State::Lists=${state}/lists`, '-o', `Dir::Cache=${state}/cache`];
  run('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', ...options, 'update'], { cwd: folder });
  return options;
}

function howToGetNats() {
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  return (
    `nats-server is needed and could not be fetched. Install it (${sudo}apt-get install ` +
    'nats-server; macOS: brew install nats-server), or name the program: NATS_SERVER=/path/to/it'
  );
}

// ---- set up, then run -----------------------------------------------------------------------

function setUp(needsNats) {
  const ready = () =>
    nodeAtHand() !== undefined &&
    dependenciesAtHand() &&
    (!needsNats || natsAtHand() !== undefined);
  if (ready()) return;
  locked(() => {
    if (nodeAtHand() === undefined) fetchNode();
    if (!dependenciesAtHand()) fetchDependencies();
    if (needsNats && natsAtHand() === undefined) fetchNats();
    say('done');
  });
}

function environment(node) {
  const nats = natsAtHand();
  const first = [dirname(node), join(ROOT, 'node_modules', '.bin')];
  const last = nats === undefined ? [] : [dirname(nats)];
  const PATH = [...first, process.env['PATH'], ...last, join(SERVERS, 'bin')].join(delimiter);
  const newer = join(SERVERS, 'nats-server');
  const found = fs.existsSync(newer) ? { NATS_SERVER_NEWER: newer } : {};
  return { ...found, ...process.env, PATH, ...(nats !== undefined && { NATS_SERVER: nats }) };
}

function start(args) {
  const node = nodeAtHand();
  const child = spawn(node, args, { stdio: 'inherit', env: environment(node) });
  // A terminal sends Ctrl-C to both; whoever signals this process alone means the program.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      if (!(name === 'SIGINT' && process.stdin.isTTY)) child.kill(name);
    });
  }
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
  });
}

try {
  const needsNats = process.argv[2] === '--nats';
  const args = process.argv.slice(needsNats ? 3 : 2);
  if (args.length === 0)
    throw new Stop('usage: node tools/with-node.mjs [--nats] FILE [ARGUMENT…]');
  setUp(needsNats);
  start(args);
} catch (error) {
  if (!(error instanceof Stop) && error.syscall === undefined) throw error;
  say(error.message);
  process.exitCode = 1;
}

// SPDX-License-Identifier: Apache-2.0
// The command line as its users meet it: real processes, one platform, a pretend cluster.
import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DEMO_COLLECTOR } from '@impound/lab/scenarios.ts';
import { EXIT } from '../src/exit-code.ts';
import { begin, clean, impound, result } from './command-line.ts';
import { CART, openWorld, WHY, type World } from './world.ts';

const scope = new AsyncDisposableStack();
let world: World;
let at: { readonly data: readonly string[]; readonly url: string; readonly token: string };
/** One sealed acquisition that the tests below look at. */
let sealed: string;

before(async () => {
  world = scope.use(await openWorld());
  const data = join(world.folder, 'data');
  const known = ['--kubeconfig', world.kubeconfig, '--cluster', 'demo'];
  const platform = begin(['up', '--data', data, ...known]);
  scope.defer(async () => {
    platform.kill('SIGTERM');
    assert.equal((await platform.end).code, EXIT.ok);
  });
  await platform.says(/impound is up at/);
  const { url, token } = JSON.parse(await readFile(join(data, 'platform.json'), 'utf8'));
  at = { data: ['--data', data], url, token };
  await writeFile(join(world.folder, 'token'), `${token}\n`, { mode: 0o600 });
  const done = await impound(['acquire', CART, ...WHY, ...at.data, '--json']);
  assert.equal(done.code, EXIT.ok, done.err);
  sealed = String(result(done)['acquisitionId']);
});

after(() => scope.disposeAsync());

test('--json tells of an acquisition from its acceptance to its result', async () => {
  const done = await impound([
    'acquire',
    CART,
    ...WHY,
    '--path',
    '/etc/hosts',
    ...at.data,
    '--json',
  ]);
  assert.equal(done.code, EXIT.ok, done.err);
  const kinds = done.values.map(({ kind }) => kind);
  assert.equal(kinds[0], 'accepted');
  assert.ok(kinds.includes('entry'));
  const { status, exitCode } = result(done);
  assert.deepEqual({ status, exitCode }, { status: 'sealed', exitCode: 0 });
  clean(done, at.token);
});

test('the same idempotency key is the same acquisition', async () => {
  const again = ['acquire', CART, ...WHY, ...at.data, '--json', '--idempotency-key', 'finding-1'];
  const [one, two] = await Promise.all([impound(again), impound(again)]);
  assert.equal(one.code, EXIT.ok, one.err);
  assert.equal(result(one)['acquisitionId'], result(two)['acquisitionId']);
});

test('a selector is one acquisition for each running container, each with its own bag', async () => {
  const out = join(world.folder, 'front');
  const target = 'kubernetes://demo/shop?selector=app%3Dstorefront';
  const done = await impound(['acquire', target, ...WHY, ...at.data, '--out', out, '--json']);
  assert.equal(done.code, EXIT.ok, done.err);
  assert.equal(done.values.filter(({ kind }) => kind === 'result').length, 2);
  assert.match(done.err, /left out: .*init-assets, which is terminated/);
  for (const number of [1, 2]) {
    assert.equal((await impound(['verify', `${out}-${number}`])).code, EXIT.ok);
  }
});

test('a target that is not there fails, and show says what to do', async () => {
  const done = await impound([
    'acquire',
    'kubernetes://demo/shop/gone',
    ...WHY,
    ...at.data,
    '--json',
  ]);
  assert.equal(done.code, EXIT.failed);
  const shown = await impound(['show', String(result(done)['acquisitionId']), ...at.data]);
  assert.match(shown.out, /: failed\n/);
  assert.match(shown.out, /what to do: /);
});

test('the listing of a store is held against the chains, and what nobody accounts for is told', async () => {
  const objects = join(world.folder, 'data', 'evidence', 'objects');
  const names = await readdir(objects, { recursive: true });
  const listing = join(world.folder, 'listing');
  await writeFile(listing, names.map((name) => `  12 ${name}`).join('\n'));
  const whole = await impound(['strays', listing, ...at.data]);
  assert.equal(whole.code, EXIT.ok, whole.out + whole.err);
  assert.match(whole.out, /^\d+ named by their chain, /);
  await writeFile(listing, `default/${sealed}/e1/nobody\n`);
  const strange = await impound(['strays', listing, ...at.data]);
  assert.equal(strange.code, EXIT.findings, strange.out + strange.err);
  assert.match(strange.out, new RegExp(`^UNEXPLAINED {2}default/${sealed}/e1/nobody\n`));
  const unread = await impound(['strays', join(world.folder, 'no-such-file'), ...at.data]);
  assert.equal(unread.code, EXIT.failed);
  assert.match(unread.err, /no-such-file cannot be read: ENOENT/);
});

test('who joins an acquisition gets the result of the other, and its bag', async () => {
  const goOn = Promise.withResolvers<void>();
  const kind = 'pause';
  const until = goOn.promise;
  const path = /\/exec/;
  using _held = world.lab.inject({ kind, afterBytes: 1_000, path, times: 1, reached() {}, until });
  const target = 'kubernetes://demo/shop/storefront-6b8d9f7c4-m3n5p/web';
  const twice = ['acquire', target, ...WHY, '--path', '/srv', ...at.data, '--json', '--out'];
  const bags = [join(world.folder, 'one'), join(world.folder, 'two')];
  const [first, second] = [begin([...twice, bags[0] ?? '']), begin([...twice, bags[1] ?? ''])];
  await Promise.race([first, second].map((going) => going.says(/acquisition\.joined/)));
  goOn.resolve();
  const ends = await Promise.all([first.end, second.end]);
  for (const [index, done] of ends.entries()) {
    assert.equal(done.code, EXIT.ok, done.err);
    assert.equal((await impound(['verify', bags[index] ?? ''])).code, EXIT.ok);
  }
  const [one, two] = ends.map((done) => result(done));
  assert.notEqual(one?.['acquisitionId'], two?.['acquisitionId']);
  assert.equal(one?.['holder'], two?.['holder']);
  const joiner = one?.['holder'] === one?.['acquisitionId'] ? two : one;
  const shown = await impound(['show', String(joiner?.['acquisitionId']), ...at.data]);
  assert.match(shown.out, new RegExp(`it shares the result of ${joiner?.['holder']}`));
});

test('an acquisition is cancelled with a reason, and whoever follows it ends with 3', async () => {
  using _slow = world.lab.inject({ kind: 'hang', path: /\/exec/ });
  const target = 'kubernetes://demo/shop/storefront-6b8d9f7c4-m3n5p/log-shipper';
  const going = begin(['acquire', target, ...WHY, '--path', '/tmp', ...at.data]);
  const [, id = ''] = /acquisition (\S+) of/.exec(await going.says(/execution\.started/)) ?? [];
  const decided = await impound(['cancel', id, '--reason', 'the wrong pod', ...at.data]);
  assert.equal(decided.code, EXIT.ok, decided.err);
  assert.equal((await going.end).code, EXIT.stopped);
  const shown = await impound(['show', id, ...at.data]);
  assert.match(shown.out, /: cancelled\n.*the wrong pod/s);
  const late = await impound(['cancel', id, '--reason', 'again', ...at.data]);
  assert.equal(late.code, EXIT.failed);
  assert.match(late.err, /it has ended with acquisition\.cancelled/);
});

test('interrupting a watch leaves the acquisition alone, and the next watch ends with it', async () => {
  const slow = world.lab.inject({ kind: 'hang', path: /\/exec/, times: 1 });
  const target = 'kubernetes://demo/shop/storefront-6b8d9f7c4-m3n5p/web';
  const going = begin(['acquire', target, ...WHY, '--path', '/var', ...at.data]);
  const [, id = ''] = /acquisition (\S+) of/.exec(await going.says(/execution\.started/)) ?? [];
  const watching = begin(['watch', id, ...at.data]);
  await watching.says(/execution\.started/);
  for (const one of [watching, going]) {
    one.kill('SIGINT');
    const done = await one.end;
    assert.equal(done.code, EXIT.stopped);
    clean(done, at.token);
  }
  assert.match((await going.end).err, new RegExp(`${id} goes on: impound watch ${id}`));
  slow[Symbol.dispose]();
  await impound(['cancel', id, '--reason', 'it was a test', ...at.data]);
  assert.equal((await impound(['watch', id, ...at.data])).code, EXIT.stopped);
});

test('targets go from clusters to namespaces to what acquire takes', async () => {
  assert.match((await impound(['targets', ...at.data])).out, /^demo$/m);
  assert.match((await impound(['targets', 'demo', ...at.data])).out, /^shop$/m);
  const found = await impound(['targets', 'demo', 'shop', ...at.data]);
  assert.ok(found.out.includes(`${CART}  running`), found.out);
  const some = ['targets', 'demo', 'shop', '--selector', 'app=payments', ...at.data, '--json'];
  const { values } = await impound(some);
  assert.deepEqual(
    values.map(({ kind, name }) => [kind, name]),
    [['container', 'payments-84c5d7f6b-d1str/payments']],
  );
});

test('list shows what there is, of one case if that is asked for', async () => {
  const { out } = await impound(['list', '--case', 'IR-1', ...at.data]);
  assert.ok(out.includes(sealed));
  assert.match((await impound(['list', '--case', 'none', ...at.data])).out, /^no acquisitions$/m);
});

test('elsewhere: a URL and a token file do what the data directory does', async () => {
  const there = ['--url', at.url, '--token-file', join(world.folder, 'token')];
  assert.ok((await impound(['list', ...there])).out.includes(sealed));
  const environment = { IMPOUND_URL: at.url, IMPOUND_TOKEN: at.token };
  assert.ok((await impound(['list'], environment)).out.includes(sealed));
  await writeFile(join(world.folder, 'wrong'), 'wrong');
  const wrong = await impound([
    'list',
    '--url',
    at.url,
    '--token-file',
    join(world.folder, 'wrong'),
  ]);
  assert.equal(wrong.code, EXIT.unreachable);
  const named = await impound([
    'acquire',
    CART,
    ...WHY,
    ...there,
    '--kubeconfig',
    world.kubeconfig,
  ]);
  assert.equal(named.code, EXIT.usage);
  assert.match(named.err, /--kubeconfig is for a platform on this machine/);
});

const WRONG: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['no command', ['acquier'], EXIT.usage, /there is no command acquier/],
  ['no case', ['acquire', CART, '--reason', 'r'], EXIT.usage, /--case is needed/],
  [
    'no kubeconfig',
    ['acquire', CART, ...WHY, '--kubeconfig', '/no'],
    EXIT.usage,
    /--kubeconfig \/no/,
  ],
  [
    '--out in no directory',
    ['acquire', CART, ...WHY, '--out', '/no/x'],
    EXIT.usage,
    /--out \/no\/x/,
  ],
  [
    '--out that exists',
    ['acquire', CART, ...WHY, '--out', '/tmp'],
    EXIT.usage,
    /--out \/tmp exists/,
  ],
  ['no id', ['show', '../../healthz'], EXIT.usage, /takes one acquisition id/],
  ['no port', ['up', '--port', '70000'], EXIT.usage, /--port 70000/],
  ['a cluster without a name', ['up', '--kubeconfig', '/dev/null'], EXIT.usage, /--kubeconfig/],
  ['no platform', ['list', '--data', '/no/such'], EXIT.unreachable, /no platform runs in/],
  ['no such bag', ['verify', '/no/such'], EXIT.usage, /there is no such directory/],
  ['a file for a bag', ['verify', '/etc/hosts'], EXIT.usage, /is a file/],
  ['a directory that is no bag', ['verify', '/etc'], EXIT.usage, /is no bag/],
];
test('a wrong command line is told of by name, at once and without a trace', async () => {
  const ends = await Promise.all(WRONG.map(([, args]) => impound([...args, '--json'])));
  for (const [index, [what, , code, words]] of WRONG.entries()) {
    const done = ends[index];
    assert.ok(done);
    assert.equal(done.code, code, `${what}: ${done.err}`);
    assert.match(done.err, words, what);
    clean(done, at.token);
    const [fault] = done.values;
    assert.deepEqual([fault?.['kind'], fault?.['exitCode']], ['error', code], what);
  }
});

test('a URL that nobody answers at, and one with a password in it', async () => {
  const token = { IMPOUND_TOKEN: 'planted-secret' };
  const gone = await impound(['list', '--url', 'http://127.0.0.1:9'], token);
  assert.equal(gone.code, EXIT.unreachable);
  const told = await impound(['list', '--url', 'http://u:planted-secret@localhost:9'], token);
  assert.equal(told.code, EXIT.usage);
  for (const { out, err } of [gone, told]) assert.doesNotMatch(out + err, /planted/);
});

test('a second platform in the same directory is refused', async () => {
  const second = await impound(['up', ...at.data]);
  assert.equal(second.code, EXIT.failed);
  assert.match(second.err, /process \d+ runs a platform in .*data/);
});

test('secrets are in files that only their owner reads, and in no log and no command line', async () => {
  const [, data = ''] = at.data;
  const keys = JSON.parse(await readFile(join(data, 'keys.json'), 'utf8'));
  const secret = await readFile(join(data, 'postgres', 'secret'), 'utf8');
  const secrets = [keys.token, keys.signing, secret, world.lab.token(DEMO_COLLECTOR)];
  for (const name of ['keys.json', 'platform.json', 'clusters.json', 'impound.log']) {
    assert.equal((await stat(join(data, name))).mode & 0o077, 0, name);
  }
  assert.equal((await stat(data)).mode & 0o077, 0);
  const log = await readFile(join(data, 'impound.log'), 'utf8');
  const lines = await commandLines();
  for (const one of secrets) {
    assert.ok(one.length > 20);
    assert.ok(!log.includes(one), 'a secret in impound.log');
    assert.ok(!lines.includes(one), 'a secret in a command line');
  }
  assert.match(lines, /impound\.mjs/);
});

/** The arguments of all processes, as anybody on this machine can read them. */
async function commandLines(): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const texts = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(texts)).join('\n');
}

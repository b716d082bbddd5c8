// SPDX-License-Identifier: Apache-2.0
// A data directory through interruptions, crashes and careless hands.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DEMO_TARGET } from '@impound/lab/scenarios.ts';
import { EXIT } from '../src/exit-code.ts';
import { begin, clean, impound, type Running } from './command-line.ts';
import { CART, openWorld, WHY, type World } from './world.ts';

/** A bag with it is still being written when somebody has read that it is. */
const LARGE = '/tmp/large.bin';
const LARGE_BYTES = 64 * 1_048_576;

const scope = new AsyncDisposableStack();
let world: World;
let data: string;

before(async () => {
  world = scope.use(await openWorld());
  data = join(world.folder, 'data');
  const { namespace, pod, container } = DEMO_TARGET;
  const files = world.lab.filesOf(namespace, pod, container);
  await writeFile(join(files, LARGE), randomBytes(LARGE_BYTES));
});

after(() => scope.disposeAsync());

function acquire(out: string, ...more: readonly string[]): Running {
  const alone = ['--kubeconfig', world.kubeconfig, '--data', data];
  return begin(['acquire', CART, ...WHY, ...alone, ...more, '--out', join(world.folder, out)]);
}

/** The processes that work in the data directory. */
async function workers(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const places = pids.map(async (pid) => {
    const place = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    return place.startsWith(data) ? [pid] : [];
  });
  return (await Promise.all(places)).flat();
}

/** Nothing runs, nothing is locked, no bag is half written. */
async function settled(): Promise<void> {
  assert.deepEqual(await workers(), []);
  const left: readonly string[] = await readdir(data).catch(() => []);
  assert.ok(!left.includes('lock') && !left.includes('platform.json'), left.join());
  assert.deepEqual(
    (await readdir(world.folder)).filter((name) => name.startsWith('bag')),
    [],
  );
}

const STAGES: readonly (readonly [string, RegExp, ...string[]])[] = [
  ['the database is made', /starting PostgreSQL/],
  ['the services start', /starting services/],
  ['the request is on record', /acquisition \S+ of/],
  ['the target is touched', /execution\.started/],
  ['the bag is written', /fetching/, '--path', LARGE],
];
for (const [index, [stage, words, ...more]] of STAGES.entries()) {
  test(`interrupted while ${stage}: 3, and nothing is left running or half done`, async () => {
    const going = acquire(`bag-${index}`, ...more);
    await going.says(words);
    going.kill('SIGINT');
    const done = await going.end;
    assert.equal(done.code, EXIT.stopped, done.err);
    assert.match(done.err, /impound: interrupted/);
    clean(done);
    await settled();
  });
}

test('what an interruption left open, the next up finishes', async () => {
  const known = (await impound(['list', '--data', data, '--json'])).values;
  assert.ok(known.length >= 2);
  const platform = begin(['up', '--data', data]);
  try {
    await platform.says(/impound is up at/);
    for (const { acquisitionId } of known) {
      const done = await impound(['watch', String(acquisitionId), '--data', data]);
      assert.equal(done.code, EXIT.ok, done.out + done.err);
    }
  } finally {
    platform.kill('SIGTERM');
    assert.equal((await platform.end).code, EXIT.ok);
  }
  await settled();
});

test('a killed platform leaves its files, and the next one takes them over', async () => {
  const killed = begin(['up', '--data', data]);
  await killed.says(/impound is up at/);
  const [pid = ''] = (await readlink(join(data, 'lock'))).split('.');
  process.kill(Number(pid), 'SIGKILL');
  await killed.end;
  assert.ok((await readdir(data)).includes('platform.json'));
  assert.equal((await impound(['watch', crypto.randomUUID(), '--data', data])).code, 5);
  const next = begin(['up', '--data', data]);
  await next.says(/impound is up at/);
  next.kill('SIGINT');
  assert.equal((await next.end).code, EXIT.ok);
  await settled();
});

test('whoever kills the command that was called ends the platform, too', async () => {
  const killed = begin(['up', '--data', data]);
  await killed.says(/impound is up at/);
  killed.kill('SIGKILL');
  await killed.end;
  for (const until = Date.now() + 20_000; Date.now() < until && (await workers()).length > 0; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await settled();
});

test('two acquires without a platform wait for each other', async () => {
  const both = [acquire('first'), acquire('second')];
  const [one, two] = await Promise.all(both.map(({ end }) => end));
  assert.deepEqual([one?.code, two?.code], [EXIT.ok, EXIT.ok], `${one?.err}${two?.err}`);
  assert.match(`${one?.err}${two?.err}`, /process \d+ works in .*: waiting for it/);
  await settled();
});

test('a data directory that others may write to, or that is a file, is refused', async () => {
  const open = join(world.folder, 'open');
  await mkdir(open);
  await chmod(open, 0o777);
  const refused = await impound(['up', '--data', open]);
  assert.equal(refused.code, EXIT.failed);
  assert.match(refused.err, /can be written by others.*chmod 700/);
  const file = await impound(['up', '--data', world.kubeconfig]);
  assert.equal(file.code, EXIT.failed);
  assert.match(file.err, /cannot be made/);
});

test('keys that others can read, or that are damaged, are refused and not repeated', async () => {
  const place = join(world.folder, 'keys');
  await mkdir(place, { mode: 0o700 });
  await writeFile(join(place, 'keys.json'), '{"token":"planted-secret', { mode: 0o644 });
  const loose = await impound(['up', '--data', place]);
  assert.match(loose.err, /others can read it/);
  await chmod(join(place, 'keys.json'), 0o600);
  const broken = await impound(['up', '--data', place]);
  assert.match(broken.err, /is damaged/);
  for (const { code, err } of [loose, broken]) {
    assert.equal(code, EXIT.failed);
    assert.doesNotMatch(err, /planted/);
  }
});

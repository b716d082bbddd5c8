// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CollectorFault } from '../src/collector/fault.ts';
import { parseCollectorStream } from '../src/collector/parse.ts';
import { COLLECTOR, collectorScript } from '../src/collector/script.ts';
import { finish, marked, type Soil, start, temporaryFolder } from './collector-run.ts';

const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

const GONE_MS_MAX = 60_000;
const SHELLS: readonly Soil[] = [
  { name: 'dash', argv: ['dash'] },
  { name: 'bash', argv: ['bash'] },
  { name: 'busybox ash', argv: ['busybox', 'ash'] },
  { name: 'dash as session leader', argv: ['setsid', 'dash'] },
];

const large = join(folder.path, 'large');
writeFileSync(large, '');
truncateSync(large, 64 * 1_048_576);

async function nothingLeft(mark: string): Promise<void> {
  const until = Date.now() + GONE_MS_MAX;
  while (marked(mark).length > 0 && Date.now() < until) await delay(25);
  assert.deepEqual(marked(mark), []);
}

/** Kills a process; one that has ended by then is as good as killed. */
function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

for (const soil of SHELLS) {
  test(`${soil.name}: when the client goes, nothing is left`, async () => {
    const mark = randomUUID();
    const child = start(soil, { profile: 'volatile', paths: [large] }, { mark });
    await once(child.stdout, 'readable'); // and nobody reads on: it is stuck in a write
    while (marked(mark).length < 2) await delay(25);
    await delay(900);
    assert.ok(marked(mark).length > 1);
    child.stdin.end();
    await nothingLeft(mark);
    child.stdout.destroy();
  });

  test(`${soil.name}: an acknowledgement ends it at once with exit code 0`, async () => {
    const mark = randomUUID();
    const child = start(soil, { profile: 'volatile' }, { mark });
    let trailerMs = 0;
    const { exitCode } = await finish(child, async ({ kind }) => {
      if (kind === 'trailer') trailerMs = Date.now();
    });
    assert.equal(exitCode, 0);
    // For an acknowledgement it waits half a minute.
    assert.ok(Date.now() - trailerMs < 25_000);
    await nothingLeft(mark);
  });
}

test('stderr stays open to the end, for some runtimes take stdin away with it', async () => {
  const soil = SHELLS[0];
  assert.ok(soil);
  const child = start(soil, { profile: 'volatile' });
  const ended: boolean[] = [];
  await finish(child, async () => void ended.push(child.stderr.readableEnded));
  assert.ok(ended.length > 50);
  assert.ok(!ended.includes(true));
});

test('without an acknowledgement it waits its time and ends with exit code 0', async () => {
  const mark = randomUUID();
  const soil = SHELLS[0];
  assert.ok(soil);
  const child = start(soil, { profile: 'volatile', ackSecondsMax: 4 }, { mark });
  const exited = once(child, 'exit');
  let trailerMs = 0;
  for await (const record of parseCollectorStream(child.stdout)) {
    if (record.kind === 'trailer') trailerMs = Date.now();
  }
  assert.deepEqual(await exited, [0, null]);
  // The trailer may have been read late.
  assert.ok(Date.now() - trailerMs >= 1_000);
  await nothingLeft(mark);
});

test('a collector that is killed midway is truncated, never complete', async () => {
  const mark = randomUUID();
  const soil = SHELLS[0];
  assert.ok(soil);
  const child = start(soil, { profile: 'volatile', paths: [large] }, { mark });
  await assert.rejects(
    finish(child, async ({ kind }) => {
      if (kind === 'file') for (const pid of marked(mark)) killed(Number(pid));
    }),
    (error) => error instanceof CollectorFault && error.code === 'truncated',
  );
  child.stdin.end();
  await nothingLeft(mark);
});

test('values of environment variables never leave, their names do', async () => {
  const soil = SHELLS[0];
  assert.ok(soil);
  const env = { COLLECTOR_TEST_SECRET: 'hunter2\nNEXT_LINE_OF_IT=swordfish\nplainpart' };
  const { records } = await finish(start(soil, { profile: 'volatile' }, { env }));
  const texts = records.filter((record) => record.kind === 'text');
  const all = Buffer.concat(texts.map((record) => record.data ?? Buffer.of())).toString('latin1');
  assert.match(all, /^COLLECTOR_TEST_SECRET$/m);
  assert.doesNotMatch(all, /hunter2|swordfish|plainpart|NEXT_LINE_OF_IT/);
});

test('the script passes shellcheck and every shell parses it', (t) => {
  const script = collectorScript({ profile: 'full', paths: ["/it's\n"] });
  for (const shell of [['dash'], ['bash', '--posix'], ['busybox', 'ash']]) {
    const [command = '', ...rest] = shell;
    const run = spawnSync(command, [...rest, '-n'], { input: script });
    assert.equal(run.status, 0, `${command}: ${run.stderr}`);
  }
  const found = spawnSync('shellcheck', ['--version']);
  if (found.error) {
    t.diagnostic('shellcheck is not installed: only the syntax of the script was checked');
    return;
  }
  const start = script.indexOf('#!/bin/sh');
  const run = spawnSync('shellcheck', ['-s', 'sh', '-'], { input: script.subarray(start) });
  assert.equal(run.status, 0, run.stdout.toString());
});

test('the sha256 that custody names is that of the parts as they lie in the folder', () => {
  const parts = ['frame.sh', 'files.sh', 'collector.sh'];
  const paths = parts.map((part) => new URL(`../src/collector/${part}`, import.meta.url));
  const hash = createHash('sha256');
  for (const path of paths) hash.update(readFileSync(path));
  assert.equal(COLLECTOR.sha256, hash.digest('hex'));
  const cat = execFileSync('sh', ['-c', 'cat "$@" | sha256sum', 'sh', ...paths.map(pathOf)]);
  assert.equal(cat.toString().slice(0, 64), COLLECTOR.sha256);
});

function pathOf(url: URL): string {
  return url.pathname;
}

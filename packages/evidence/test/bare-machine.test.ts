// SPDX-License-Identifier: Apache-2.0
// The commands of README.txt, run where there is nothing but the programs that it names.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import {
  type Change,
  OPENSSL,
  OTHER_ENTRY,
  openForeignBag,
  SIGSUM,
  type Skip,
  SPICY,
} from './foreign-bag.ts';

const run = promisify(execFile);
let world: Awaited<ReturnType<typeof openForeignBag>>;

before(async () => {
  world = await openForeignBag();
});

after(() => world[Symbol.asyncDispose]());

/** What the commands of README.txt need beside the shell itself. */
const TOOLS = ['sha256sum', 'zstd', 'tar', 'mkdir', 'sed', 'tail', 'head', 'cmp', 'cat', 'grep'];
const ALL: Skip = [SPICY, SIGSUM, OPENSSL].find(({ skip }) => skip !== false) ?? { skip: false };

async function commandsOf(of: string): Promise<string> {
  const text = await readFile(join(of, 'README.txt'), 'utf8');
  const commands = text.split('\n').filter((line) => line.startsWith('$ '));
  return ['set -e', ...commands.map((line) => line.slice(2))].join('\n');
}

/** A folder of nothing but the programs that README.txt names: no Node, nothing of ours. */
async function bareMachine(): Promise<string> {
  const folder = join(world.home, 'bin');
  await mkdir(folder, { recursive: true });
  for (const name of [...TOOLS, 'openssl', 'spicy-litetlog', 'sigsum-verify']) {
    const { stdout } = await run('sh', ['-c', `command -v ${name}`]);
    await symlink(stdout.trim(), join(folder, name)).catch(() => undefined);
  }
  return folder;
}

async function bare(of: string): Promise<string> {
  const env = { PATH: await bareMachine() };
  const { stdout } = await run('/bin/sh', ['-c', await commandsOf(of)], { cwd: of, env });
  return stdout;
}

test('the commands of README.txt check a bag where there is no Node', ALL, async () => {
  const env = { PATH: await bareMachine() };
  await assert.rejects(run('/bin/sh', ['-c', 'node --version'], { env }), { code: 127 });
  const own = join(world.home, 'own');
  await mkdir(own);
  await cp(world.bag, join(own, 'bag'), { recursive: true });
  const stdout = await bare(join(own, 'bag'));
  assert.match(stdout, /Signature Verified Successfully/);
  assert.match(stdout, /^data\/evidence\.tar\.zst: OK$/m);
  assert.match(stdout, /^data\/manifest\.jsonl: OK$/m);
  assert.match(stdout, /^Verification: OK$/m);
  assert.match(stdout, /^Time stamp: /m);
});

const README_REFUSES: readonly Change[] = [
  OTHER_ENTRY,
  ['another chain', 'custody/chain.jsonl', (text) => text.replace('"v":1', '"v":2')],
  ['another checkpoint', 'custody/checkpoint.text', (text) => text.replace(/\n(\d+)\n/, '\n1$1\n')],
];

for (const change of README_REFUSES) {
  test(`the commands of README.txt refuse ${change[0]}, whatever its list says`, ALL, async () => {
    const folder = await world.changed(change);
    // Whoever changes a file can change the lists of digests as well: these are left out here.
    const commands = (await commandsOf(folder))
      .split('\n')
      .filter((line) => !line.startsWith('sha256sum -c'));
    const env = { PATH: await bareMachine() };
    const own = join(folder, 'inner');
    await mkdir(own);
    for (const part of ['custody', 'data', 'README.txt', 'tagmanifest-sha256.txt']) {
      await cp(join(folder, part), join(own, part), { recursive: true });
    }
    await assert.rejects(run('/bin/sh', ['-c', commands.join('\n')], { cwd: own, env }));
  });
}

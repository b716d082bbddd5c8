// SPDX-License-Identifier: Apache-2.0
// A bag on a machine with nothing of ours, and without a network: the commands of its README.txt.
import assert from 'node:assert/strict';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { barePath, commandsOf, found, type Skip, SPICY } from '../end-to-end/bare-machine.ts';
import { type Change, forgedBag, noteFiles, toAll } from './bag.ts';
import { emptied, program, type Verdict } from './detectors.ts';
import { type Recorded, recordedLog } from './stage.ts';

let on: Recorded;
let bin = '';

const SIGSUM = found('sigsum-verify', 'tools/servers.sh fetches it');
const OPENSSL = found('openssl', 'apt-get install openssl');
const ALL: Skip = [SPICY, SIGSUM, OPENSSL].find(({ skip }) => skip !== false) ?? { skip: false };

before(async () => {
  if (ALL.skip !== false) return;
  on = await recordedLog();
  bin = await barePath(on.folder);
});

/** Runs commands with those programs only, in a network of its own where the system lets us. */
async function bare(commands: string, cwd: string): Promise<Verdict> {
  const env = { PATH: bin };
  const alone = (await program('unshare', ['-n', 'true'])).code === 0;
  const [shell, ...args] = alone ? ['unshare', '-n', '/bin/sh'] : ['/bin/sh'];
  const path = alone ? '/usr/bin/unshare' : String(shell);
  return await program(path, [...args.slice(alone ? 0 : 1), '-c', commands], { cwd, env });
}

/** The commands of a bag; without those that hold it to lists that a forger can make anew. */
async function scriptOf(bag: string, lists: boolean): Promise<string> {
  const commands = await commandsOf(bag);
  return ['set -e', ...commands.filter((one) => lists || !one.startsWith('sha256sum -c'))].join(
    '\n',
  );
}

/** A bag in a folder of its own, where its commands may make others beside it. */
async function placed(bag: string): Promise<string> {
  const folder = await emptied(on.folder, 'alone');
  await mkdir(folder);
  await cp(bag, join(folder, 'bag'), { recursive: true });
  return join(folder, 'bag');
}

const OTHER: Change = (text) => text.replace('"v":1', '"v":2');
const SIZE: Change = (text) => text.replace(/\n(\d+)\n/, '\n1$1\n');

test('32: a bag is all there is: no network, no Node, nothing of the product', ALL, async () => {
  const node = await bare('node --version', on.folder);
  assert.equal(node.code, 127, node.out);
  const good = await placed(on.bag);
  const done = await bare(await scriptOf(good, true), good);
  assert.equal(done.code, 0, done.out);
  assert.match(done.out, /Signature Verified Successfully/);
  assert.match(done.out, /^data\/evidence\.tar\.zst: OK$/m);
  const forged: readonly (readonly [string, Record<string, Change>])[] = [
    ['another entry', { 'custody/entries/000003.json': OTHER, 'custody/chain.jsonl': OTHER }],
    ['another chain', { 'custody/chain.jsonl': OTHER }],
    ['another size', toAll([...(await noteFiles(on.bag)), 'custody/checkpoint.text'], SIZE)],
    ['another seal', { 'custody/seal/seal.json': OTHER }],
  ];
  for (const [what, changes] of forged) {
    const bag = await placed(await forgedBag(on.bag, 'bare', changes));
    const refused = await bare(await scriptOf(bag, false), bag);
    assert.notEqual(refused.code, 0, `${what}: ${refused.out}`);
  }
});

// SPDX-License-Identifier: Apache-2.0
// A real acquisition is exported, and programs that nobody here wrote check its bag: each accepts
// it and refuses one that was changed, on a machine with no Node as well.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseCheckpoint } from '@impound/transparency/checkpoint.ts';
import { parseTlogProof } from '@impound/transparency/tlog-proof.ts';
import { formatVkey, publicKey } from '@impound/transparency/vkey.ts';
import { impound } from '../../cli/test/command-line.ts';
import { bare, barePath, commandsOf, found, type Skip, SPICY } from './bare-machine.ts';
import { type Change, openRealBag, type RealBag } from './real-bag.ts';

const run = promisify(execFile);
const SUMDB = fileURLToPath(new URL('sumdb/verify.go', import.meta.url));
const GOCODE = '/usr/share/gocode';
let world: RealBag;

before(async () => {
  world = await openRealBag();
});

after(() => world[Symbol.asyncDispose]());

const SIGSUM = found('sigsum-verify', 'tools/servers.sh fetches it');
const OPENSSL = found('openssl', 'apt-get install openssl');
const SUMDB_THERE = existsSync(join(GOCODE, 'src/golang.org/x/mod/sumdb/tlog'));
const GO: Skip = {
  skip:
    found('go', 'apt-get install golang-go').skip ||
    (SUMDB_THERE ? false : 'no x/mod/sumdb here: apt-get install golang-golang-x-mod-dev'),
};

/** The entry that changes are about. */
const ENTRY = 'custody/entries/000003.json';
const OTHER_ENTRY: Change = ['another entry', ENTRY, (text) => text.replace('"v":1', '"v":2')];
const OTHER_SIZE: Change = [
  'another size',
  'custody/checkpoint',
  (text) => text.replace(/\n(\d+)\n/, '\n1$1\n'),
];
const OTHER_INDEX = (form: string): Change => [
  'another index',
  `${ENTRY}.${form}`,
  (text) => text.replace(/index (\d+)/, (_, index) => `index ${Number(index) ^ 1}`),
];

interface Foreign {
  readonly name: string;
  readonly options: Skip;
  readonly verify: (bag: string) => Promise<unknown>;
  readonly refused: readonly Change[];
}

const custody = (of: string, name: string) => join(of, 'custody', name);
const vkeyOf = async (of: string) => (await readFile(custody(of, 'log.vkey'), 'utf8')).trim();

/** sigsum-verify reads the seal from standard input. */
async function sigsum(of: string): Promise<void> {
  const seal = (name: string) => custody(of, `seal/${name}`);
  const words = ['-k', seal('submitter.pub'), '-p', seal('policy'), seal('seal.proof')];
  const verifying = run('sigsum-verify', words);
  verifying.child.stdin?.on('error', () => undefined);
  verifying.child.stdin?.end(await readFile(seal('seal.json')));
  await verifying;
}

async function sumdb(of: string): Promise<void> {
  const env = {
    ...process.env,
    GO111MODULE: 'off',
    GOPATH: GOCODE,
    GOCACHE: join(world.home, 'go-cache'),
    GOFLAGS: '',
  };
  const binary = join(world.home, 'verify');
  if (!existsSync(binary)) await run('go', ['build', '-o', binary, SUMDB], { env });
  const { stdout } = await run(binary, [join(of, 'custody'), await vkeyOf(of)]);
  const chain = await readFile(custody(of, 'chain.jsonl'), 'utf8');
  assert.equal(stdout, `${chain.trimEnd().split('\n').length} entries\n`);
}

async function openssl(of: string): Promise<void> {
  const at = (name: string) => custody(of, name);
  const words = ['-in', at('checkpoint.text'), '-sigfile', at('checkpoint.sig')];
  await run('openssl', [
    'pkeyutl',
    '-verify',
    '-rawin',
    '-pubin',
    '-inkey',
    at('log.pem'),
    ...words,
  ]);
}

/** The second reader of these forms in this language: what a client of Rekor verifies by. */
async function sigstore(of: string): Promise<void> {
  const require = createRequire(import.meta.url);
  const { verifyCheckpoint } = require('@sigstore/verify/dist/tlog/checkpoint.js');
  const { verifyMerkleInclusion } = require('@sigstore/verify/dist/tlog/merkle.js');
  const proof = parseTlogProof(await readFile(`${join(of, ENTRY)}.tlog-proof`));
  const entry = {
    canonicalizedBody: await readFile(join(of, ENTRY)),
    inclusionProof: {
      logIndex: String(proof.index),
      hashes: proof.path,
      checkpoint: { envelope: await readFile(custody(of, 'checkpoint'), 'utf8') },
    },
  };
  const { name: baseURL, id: logID, key } = world.key;
  const checkpoint = verifyCheckpoint(entry, [{ logID, baseURL, publicKey: publicKey(key) }]);
  verifyMerkleInclusion(entry, checkpoint);
}

const FOREIGN: readonly Foreign[] = [
  {
    name: 'spicy-litetlog',
    options: SPICY,
    verify: async (of) => run('spicy-litetlog', ['-verify', await vkeyOf(of), join(of, ENTRY)]),
    refused: [OTHER_ENTRY, OTHER_INDEX('spicy'), ['another size', `${ENTRY}.spicy`, OTHER_SIZE[2]]],
  },
  {
    name: 'sigsum-verify',
    options: SIGSUM,
    verify: sigsum,
    refused: [
      ['another seal', 'custody/seal/seal.json', (text) => text.replace('"v":1', '"v":2')],
      [
        'another index',
        'custody/seal/seal.proof',
        (text) => text.replace(/leaf_index=(\d+)/, (_, at) => `leaf_index=${Number(at) ^ 1}`),
      ],
      ['no cosignature', 'custody/seal/seal.proof', (text) => text.replace(/cosignature=.*\n/, '')],
      ['another size', 'custody/seal/seal.proof', (text) => text.replace(/\nsize=/, '\nsize=1')],
    ],
  },
  {
    name: 'x/mod/sumdb of Go',
    options: GO,
    verify: sumdb,
    refused: [OTHER_ENTRY, OTHER_SIZE, OTHER_INDEX('tlog-proof')],
  },
  {
    name: 'openssl',
    options: OPENSSL,
    verify: openssl,
    refused: [
      ['another size', 'custody/checkpoint.text', (text) => text.replace(/\n(\d+)\n/, '\n1$1\n')],
      [
        'another signature',
        'custody/checkpoint.sig',
        (text) => `${text.slice(0, -1)}${text.endsWith('a') ? 'b' : 'a'}`,
      ],
    ],
  },
  {
    name: '@sigstore/verify',
    options: { skip: false },
    verify: sigstore,
    refused: [OTHER_ENTRY, OTHER_SIZE, OTHER_INDEX('tlog-proof')],
  },
  {
    name: 'sha256sum',
    options: { skip: false },
    verify: async (of) => {
      for (const list of ['manifest-sha256.txt', 'tagmanifest-sha256.txt']) {
        await run('sha256sum', ['--quiet', '-c', list], { cwd: of });
      }
    },
    refused: [
      OTHER_ENTRY,
      OTHER_SIZE,
      ['another manifest', 'data/manifest.jsonl', (text) => `${text} `],
    ],
  },
];

for (const { name, options, verify, refused } of FOREIGN) {
  test(`${name} accepts a bag`, options, async () => {
    await verify(world.bag);
  });
  for (const change of refused) {
    test(`${name} refuses a bag with ${change[0]}`, options, async () => {
      await assert.rejects(verify(await world.changed(change)));
    });
  }
}

test('the numbers of the proof are those of the checkpoint that everybody verified', async () => {
  const { index, note } = parseTlogProof(await readFile(`${join(world.bag, ENTRY)}.tlog-proof`));
  const { size } = parseCheckpoint(note.slice(0, note.indexOf('\n\n') + 1));
  assert.ok(index < size);
  assert.equal(await vkeyOf(world.bag), formatVkey(world.key));
});

const ALL: Skip = [SPICY, SIGSUM, OPENSSL].find(({ skip }) => skip !== false) ?? { skip: false };

test('the commands of README.txt check the bag where there is no Node', ALL, async () => {
  const path = await barePath(world.home);
  await assert.rejects(bare(['node --version'], { bag: world.bag, path }), { code: 127 });
  const bag = join(world.home, 'elsewhere', 'bag');
  await cp(world.bag, bag, { recursive: true });
  const stdout = await bare(await commandsOf(bag), { bag, path });
  assert.match(stdout, /Signature Verified Successfully/);
  assert.match(stdout, /^Time stamp: /m);
  for (const name of ['evidence.tar.zst', 'manifest.jsonl', 'context.tar.zst']) {
    assert.ok(stdout.includes(`data/${name}: OK`), name);
  }
  const [, sha256] = /bag SHA-256 ([0-9a-f]{64})/.exec(world.said) ?? [];
  assert.ok(stdout.includes(`${sha256}  tagmanifest-sha256.txt`), 'what was said at the export');
});

const README_REFUSES: readonly Change[] = [
  OTHER_ENTRY,
  ['another chain', 'custody/chain.jsonl', (text) => text.replace('"v":1', '"v":2')],
  ['another checkpoint', 'custody/checkpoint.text', OTHER_SIZE[2]],
];

for (const change of README_REFUSES) {
  test(`the commands of README.txt refuse ${change[0]}, whatever its list says`, ALL, async () => {
    const path = await barePath(world.home);
    const bag = await world.changed(change);
    // Whoever changes a file can change the lists of digests as well: these are left out here.
    const all = await commandsOf(bag);
    const commands = all.filter((line) => !line.startsWith('sha256sum -c'));
    await assert.rejects(bare(commands, { bag, path }), { code: 1 });
  });
}

for (const side of ['after', 'before']) {
  test(
    `openssl accepts the token of time ${side} the chain, and no other bytes`,
    OPENSSL,
    async () => {
      const at = (name: string) => custody(world.bag, `time/${side}.${name}`);
      const by = ['-in', at('tsr'), '-CAfile', world.tsa];
      await run('openssl', ['ts', '-verify', '-data', at('checkpoint'), ...by]);
      await assert.rejects(run('openssl', ['ts', '-verify', '-data', at('json'), ...by]));
    },
  );
}

test('impound verify tells between which tokens the chain came into the log', async () => {
  const { code, out } = await impound(['verify', world.bag, '--tsa', world.tsa]);
  assert.equal(code, 0, out);
  assert.match(out, /^ {2}time {8}came into the log after 2\S+Z, by CN=tsa$/m);
  assert.match(out, /^ {14}up to its seal it existed before 2\S+Z, by CN=tsa$/m);
});

test('the bag names the version of each object that the store has, and its lock', async (t) => {
  const { versions } = world;
  if (versions === undefined) return t.skip('no moto_server here: pip install "moto[server]"');
  const chain = (await readFile(custody(world.bag, 'chain.jsonl'), 'utf8')).trimEnd().split('\n');
  const stored = chain
    .map((line) => JSON.parse(line).event)
    .filter(({ type }) => /^(context|evidence)\.stored\./.test(type))
    .flatMap(({ data }) => data.objects);
  assert.deepEqual(stored.map(({ name }) => name).toSorted(), [
    'context-manifest.jsonl',
    'context.tar.zst',
    'evidence.tar.zst',
    'manifest.jsonl',
  ]);
  for (const { key, versionId, retention, store } of stored) {
    assert.equal(store, 's3');
    assert.equal(versions.get(`objects/${key}`), versionId);
    assert.equal(retention.mode, 'compliance');
    assert.ok(Date.parse(retention.until) > Date.now());
  }
});

test('the reports in the bag are those of its chain', async () => {
  const at = (name: string) => join(world.bag, 'custody/reports', `chain-of-custody.${name}`);
  const chain = (await readFile(custody(world.bag, 'chain.jsonl'), 'utf8')).trimEnd().split('\n');
  const table = (await readFile(at('csv'), 'utf8')).trimEnd().split('\r\n');
  assert.equal(table.length, chain.length + 1);
  const { index } = parseTlogProof(await readFile(`${join(world.bag, ENTRY)}.tlog-proof`));
  assert.ok(table[3]?.startsWith(`${index},`), table[3]);
  const graph = JSON.parse(await readFile(at('jsonld'), 'utf8'))['@graph'] as object[];
  assert.ok(graph.length > chain.length);
  assert.match(await readFile(at('pdf'), 'latin1'), /^%PDF-1\.7/);
});

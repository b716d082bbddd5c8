// SPDX-License-Identifier: Apache-2.0
// A bag with the root over the heads of all chains: what was left out at its end shows.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeBag } from '@impound/evidence/bag.ts';
import type { LogFindingCode } from '@impound/evidence/custody-read.ts';
import { sealedChain } from '@impound/evidence/testing/chain-specimen.ts';
import { specimenLog } from '@impound/evidence/testing/log-specimen.ts';
import { pieces } from '@impound/evidence/testing/specimen.ts';
import { chainIn } from '@impound/evidence/verify-entries.ts';
import { verifyLog } from '@impound/evidence/verify-log.ts';
import { formatHeadProof, parseHeadProof } from '@impound/transparency/heads.ts';

const signal = AbortSignal.timeout(280_000);
const DAY_SECONDS = 86_400;
const chain = sealedChain();
const home = await mkdtemp(join(tmpdir(), 'impound-heads-'));
after(() => rm(home, { recursive: true, force: true }));

/** A bag whose exporter leaves out so many entries at the end of the chain. */
async function bagWithout(name: string, leftOut: number, log = specimenLog()): Promise<string> {
  const directory = join(home, name);
  const whole = chain.lines.map((line) => Buffer.from(line));
  const kept = whole.slice(0, whole.length - leftOut);
  const recorded = await log.record(whole, chain.seal);
  const content = {
    objects: [],
    chain: pieces(Buffer.from(kept.map((line) => `${line}\n`).join(''))),
    info: {},
    log: async () => ({ ...recorded, proofs: recorded.proofs.slice(0, kept.length) }),
  };
  await writeBag(directory, content, signal);
  return directory;
}

const verified = (directory: string) =>
  verifyLog(directory, { chain: chainIn(directory), trust: {} }, signal);
const codesOf = async (directory: string) =>
  (await verified(directory)).findings.map(({ code }) => code);

test('a bag proves that its chain had these entries and no others by a root over all heads', async () => {
  const { findings, heads } = await verified(await bagWithout('whole', 0));
  assert.deepEqual(findings, []);
  assert.equal(heads?.entries, BigInt(chain.lines.length));
  assert.ok((heads?.size ?? 0n) <= (heads?.index ?? 0n));
});

test('whoever leaves out the last entry of a chain is contradicted by the bag alone', async () => {
  const bag = await bagWithout('cut', 1);
  const { findings, heads } = await verified(bag);
  assert.equal(heads, undefined);
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['chain-cut'],
  );
  const count = chain.lines.length;
  assert.match(
    findings[0]?.what ?? '',
    new RegExp(`had ${count} entries .* the bag has ${count - 1}`),
  );
});

test('an entry that lies in the bag and not in its chain does not hide what was left out', async () => {
  const bag = await bagWithout('beside', 1);
  const name = `custody/entries/${String(chain.lines.length).padStart(6, '0')}.json`;
  await writeFile(join(bag, name), chain.lines.at(-1) ?? '');
  assert.deepEqual(await codesOf(bag), ['chain-cut']);
});

test('a root that was taken out is missed where the log must have had one since', async () => {
  const young = await bagWithout('young', 0);
  const old = await bagWithout('old', 0, specimenLog(undefined, undefined, DAY_SECONDS));
  assert.deepEqual(await codesOf(old), []);
  for (const bag of [young, old]) await rm(join(bag, 'custody/heads'), { recursive: true });
  assert.deepEqual(await codesOf(young), []);
  assert.deepEqual(await codesOf(old), ['heads-missing']);
});

type Tamper = (heads: string) => Promise<unknown>;

const changed =
  (name: string, by: (bytes: Buffer) => string): Tamper =>
  async (heads) =>
    writeFile(join(heads, name), by(await readFile(join(heads, name))));

const TAMPERED: readonly (readonly [string, Tamper, LogFindingCode])[] = [
  [
    'names another root',
    changed('rooted.json', (text) => String(text).replace(/"root":"\w{6}/, '"root":"aaaaaa')),
    'proof-refused',
  ],
  [
    'is an entry of another kind',
    async (heads) => {
      for (const form of ['', '.tlog-proof', '.spicy']) {
        await cp(join(heads, `../entries/000001.json${form}`), join(heads, `rooted.json${form}`));
      }
    },
    'root-differs',
  ],
  [
    'is not there, and its proof is',
    (heads) => rename(join(heads, 'rooted.json.tlog-proof'), join(heads, 'other')),
    'proof-missing',
  ],
  ['has no proof of the head', (heads) => rm(join(heads, 'head.proof')), 'proof-missing'],
  ['has a proof of the head in other lines', changed('head.proof', () => 'x\n'), 'proof-malformed'],
  [
    'has a head with fewer entries',
    changed('head.proof', (text) => String(text).replace(/acqSeq \d+/, 'acqSeq 1')),
    'proof-refused',
  ],
  [
    'has the head of another chain',
    changed('head.proof', (bytes) => {
      const proof = parseHeadProof(bytes);
      return formatHeadProof({ ...proof, index: proof.index + 1n });
    }),
    'root-differs',
  ],
];

for (const [name, tamper, code] of TAMPERED) {
  test(`a root over heads that ${name} is refused`, async () => {
    const bag = await bagWithout(name.replaceAll(' ', '-'), 0);
    await tamper(join(bag, 'custody/heads'));
    assert.deepEqual(await codesOf(bag), [code]);
  });
}

// SPDX-License-Identifier: Apache-2.0
// A bag with what the log says of its chain, as an auditor holds it: and what tampering looks like.
import assert from 'node:assert/strict';
import { appendFile, cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeBag } from '@impound/evidence/bag.ts';
import type { LogFindingCode } from '@impound/evidence/custody-read.ts';
import { sealedChain } from '@impound/evidence/testing/chain-specimen.ts';
import { specimenLog } from '@impound/evidence/testing/log-specimen.ts';
import { pieces } from '@impound/evidence/testing/specimen.ts';
import { chainIn } from '@impound/evidence/verify-entries.ts';
import { type Trust, verifyLog } from '@impound/evidence/verify-log.ts';
import { parsePolicy } from '@impound/transparency/policy.ts';

const signal = AbortSignal.timeout(280_000);
const log = specimenLog();
const chain = sealedChain();
let home = '';
let bag = '';

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'impound-log-'));
  bag = join(home, 'bag');
  await write(bag, log);
});

after(() => rm(home, { recursive: true, force: true }));

async function write(directory: string, by: ReturnType<typeof specimenLog>): Promise<void> {
  const content = {
    objects: [],
    chain: pieces(Buffer.from(chain.lines.map((line) => `${line}\n`).join(''))),
    info: {},
    log: (entries: readonly Buffer[]) => by.record(entries, chain.seal),
  };
  await writeBag(directory, content, signal);
}

const verified = (directory: string, trust: Trust = {}) =>
  verifyLog(directory, { chain: chainIn(directory), trust }, signal);

test('every entry of a chain is proven to stand in the log, and its seal to be signed', async () => {
  const report = await verified(bag);
  assert.deepEqual(report.findings, []);
  assert.equal(report.proven, chain.lines.length);
  assert.deepEqual(report.witnesses, [{ name: 'w1', time: 1_795_425_400n }]);
  assert.equal(report.key?.from, 'bag');
  assert.deepEqual(report.seal?.witnesses, ['w1']);
});

test('keys that were got by another way are what a bag is held against', async () => {
  const { key, submitter } = log;
  const policy = parsePolicy(log.policy);
  const report = await verified(bag, { key, submitter, policy });
  assert.deepEqual(report.findings, []);
  assert.deepEqual(
    [report.key?.from, report.policy?.from, report.seal?.submitter.from],
    ['given', 'given', 'given'],
  );
});

test('a whole bag that somebody else has signed is found by the keys of the right one', async () => {
  const forged = join(home, 'forged');
  const other = specimenLog();
  await write(forged, other);
  assert.deepEqual((await verified(forged)).findings, []);
  const { key, submitter } = log;
  const codes = async (trust: Trust) =>
    (await verified(forged, trust)).findings.map(({ code }) => code);
  assert.ok((await codes({ key })).includes('signature-missing'));
  assert.ok((await codes({ submitter })).includes('key-differs'));
  assert.ok((await codes({ policy: parsePolicy(log.policy) })).includes('quorum-unmet'));
});

const ENTRY = 'entries/000003.json';
type Tamper = (custody: string) => Promise<unknown>;

/** Changes a file of custody/ as text. */
const change =
  (name: string, by: (text: string) => string): Tamper =>
  async (custody) => {
    const text = await readFile(join(custody, name), 'utf8');
    assert.notEqual(by(text), text);
    await writeFile(join(custody, name), by(text));
  };

const flipHash = (text: string) =>
  text.replace(/\n([A-Za-z0-9])(?=[^\n]{42}=\n)/, (_, first) => `\n${first === 'A' ? 'B' : 'A'}`);

const TAMPERS: readonly (readonly [string, Tamper, LogFindingCode])[] = [
  [
    'an entry of other bytes',
    change(ENTRY, (text) => text.replace('"v":1', '"v":2')),
    'entry-differs',
  ],
  [
    'a chain of other bytes',
    change('chain.jsonl', (text) => text.replace('"v":1', '"v":2')),
    'proof-refused',
  ],
  ['an entry less', (custody) => rm(join(custody, ENTRY)), 'proof-missing'],
  ['a proof less', (custody) => rm(join(custody, `${ENTRY}.tlog-proof`)), 'proof-missing'],
  [
    'a proof of another index',
    change(`${ENTRY}.tlog-proof`, (text) => text.replace(/index \d+/, 'index 7')),
    'proof-refused',
  ],
  ['a changed path', change(`${ENTRY}.tlog-proof`, flipHash), 'proof-refused'],
  ['two forms that differ', change(`${ENTRY}.spicy`, flipHash), 'proof-differs'],
  [
    'the proof of another entry',
    (custody) =>
      cp(join(custody, 'entries/000002.json.tlog-proof'), join(custody, `${ENTRY}.tlog-proof`)),
    'proof-refused',
  ],
  [
    'a proof that is none',
    (custody) => writeFile(join(custody, `${ENTRY}.tlog-proof`), 'x'),
    'proof-malformed',
  ],
  [
    'a checkpoint of another size',
    change('checkpoint', (text) => text.replace(/\n(\d+)\n/, '\n1$1\n')),
    'signature-refused',
  ],
  [
    'a checkpoint that nobody cosigned',
    change('checkpoint', (text) => text.replace(/\u2014 witness.*\n/, '')),
    'quorum-unmet',
  ],
  ['a checkpoint less', (custody) => rm(join(custody, 'checkpoint')), 'proof-missing'],
  ['a key that is none', (custody) => writeFile(join(custody, 'log.vkey'), 'x'), 'key-malformed'],
  [
    'a policy that is none',
    (custody) => writeFile(join(custody, 'policy'), 'x'),
    'policy-malformed',
  ],
  [
    'a checkpoint of noise',
    (custody) => writeFile(join(custody, 'checkpoint'), '\xff'),
    'note-malformed',
  ],
  [
    'a checkpoint without end',
    (custody) => appendFile(join(custody, 'checkpoint'), 'x'.repeat(200_000)),
    'proof-missing',
  ],
  [
    'another seal',
    change('seal/seal.json', (text) => text.replace('"v":1', '"v":2')),
    'entry-differs',
  ],
  [
    'a seal that nobody signed',
    change('seal/seal.proof', (text) => text.replace(/(leaf=\w+ )(..)/, '$100')),
    'signature-refused',
  ],
  [
    'a seal of another place',
    change('seal/seal.proof', (text) => text.replace(/leaf_index=\d+/, 'leaf_index=3')),
    'proof-refused',
  ],
  [
    'a seal of another log',
    change('seal/policy', (text) => text.replace(/log ../, 'log ff')),
    'signature-missing',
  ],
  [
    'a seal without proof',
    (custody) => rm(join(custody, 'seal'), { recursive: true }),
    'proof-missing',
  ],
  [
    "two proofs in each other's place",
    async (custody) => {
      for (const form of ['tlog-proof', 'spicy']) {
        const [one, other] = ['000002', ENTRY.slice(8, 14)].map((n) =>
          join(custody, `entries/${n}.json.${form}`),
        ) as [string, string];
        await rename(one, `${one}.away`);
        await rename(other, one);
        await rename(`${one}.away`, other);
      }
    },
    'proof-refused',
  ],
];

for (const [what, tamper, code] of TAMPERS) {
  test(`${what} gives ${code}`, async () => {
    const copy = join(home, 'copy');
    await rm(copy, { recursive: true, force: true });
    await cp(bag, copy, { recursive: true });
    await tamper(join(copy, 'custody'));
    const { findings } = await verified(copy);
    assert.ok(
      findings.some((finding) => finding.code === code),
      JSON.stringify(findings, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    );
  });
}

test('a finding about an entry names its index, its event, and the two roots that differ', async () => {
  const copy = join(home, 'told');
  await cp(bag, copy, { recursive: true });
  await change('chain.jsonl', (text) => text.replace('"v":1', '"v":2'))(join(copy, 'custody'));
  const { findings, checkpoint } = await verified(copy);
  const found = findings.find(({ code }) => code === 'proof-refused');
  assert.match(found?.eventId ?? '', /^0199f5a2-/);
  assert.equal(found?.index, 301n);
  assert.ok(found?.what.endsWith(`not ${checkpoint?.root.toString('hex')}`), found?.what);
});

// SPDX-License-Identifier: Apache-2.0
// A bag with the tokens of an authority of time, and what it looks like where they do not fit.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { timeOf } from '@impound/contracts/time.ts';
import { writeBag } from '@impound/evidence/bag.ts';
import type { LogFindingCode } from '@impound/evidence/custody-read.ts';
import { sealedChain } from '@impound/evidence/testing/chain-specimen.ts';
import { type SpecimenAuthority, specimenLog } from '@impound/evidence/testing/log-specimen.ts';
import { pieces } from '@impound/evidence/testing/specimen.ts';
import { chainIn } from '@impound/evidence/verify-entries.ts';
import { verifyLog } from '@impound/evidence/verify-log.ts';
import { checkToken } from '@impound/timestamp/token.ts';
import { NO_OPENSSL, stampingAuthority } from './stamping.ts';

const OPENSSL = { skip: NO_OPENSSL };
const signal = AbortSignal.timeout(280_000);
const HOUR_MS = 3_600_000;
const scope = new AsyncDisposableStack();
let home = '';
let bag = '';
let authority: SpecimenAuthority;

before(async () => {
  if (NO_OPENSSL !== false) return;
  authority = await stampingAuthority(scope);
  home = await mkdtemp(join(tmpdir(), 'impound-time-'));
  scope.defer(() => rm(home, { recursive: true, force: true }));
  bag = join(home, 'bag');
  await write(bag, Date.now());
});

after(() => scope.disposeAsync());

async function write(directory: string, recordedMs: number): Promise<void> {
  const log = specimenLog(undefined, authority);
  const chain = sealedChain(undefined, timeOf(recordedMs));
  const content = {
    objects: [],
    chain: pieces(Buffer.from(chain.lines.map((line) => `${line}\n`).join(''))),
    info: {},
    log: (entries: readonly Buffer[]) => log.record(entries, chain.seal),
  };
  await writeBag(directory, content, signal);
}

const verified = (directory: string, certificates?: string) => {
  const check: typeof checkToken = (token, on) => checkToken(token, on);
  const trust = { time: { check, certificates } };
  return verifyLog(directory, { chain: chainIn(directory), trust }, signal);
};

test(
  'a chain between two tokens came into the log after the one and before the other',
  OPENSSL,
  async () => {
    const { findings, time } = await verified(bag);
    assert.deepEqual(findings, []);
    assert.equal(time?.from, 'bag');
    assert.match(time?.after?.authority ?? '', /CN=tsa/);
    assert.ok((time?.after?.at ?? NaN) <= (time?.before?.at ?? NaN));
    assert.equal((await verified(bag, authority.root)).time?.from, 'given');
  },
);

type Tamper = (custody: string) => Promise<unknown>;

const change =
  (name: string, by: (bytes: Buffer) => Buffer | string): Tamper =>
  async (custody) => {
    const file = join(custody, name);
    await writeFile(file, by(await readFile(file)));
  };
const swapped: Tamper = async (custody) => {
  for (const kind of ['tsr', 'checkpoint']) {
    const [one, two, between] = ['after', 'before', 'between'].map((name) =>
      join(custody, `time/${name}.${kind}`),
    ) as [string, string, string];
    await rename(one, between);
    await rename(two, one);
    await rename(between, two);
  }
};
const replaced = (from: string, to: string) => (bytes: Buffer) =>
  bytes.toString('latin1').replace(from, to);

const TAMPERED: readonly (readonly [string, Tamper, LogFindingCode])[] = [
  [
    'a token in which one byte is another',
    change('time/before.tsr', (bytes) => {
      bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1;
      return bytes;
    }),
    'stamp-refused',
  ],
  [
    'another checkpoint than the one that was stamped',
    change('time/before.checkpoint', replaced('ledger.example', 'ledger.axample')),
    'stamp-refused',
  ],
  ['the two tokens in each other’s place', swapped, 'stamp-differs'],
  [
    'an entry that names another token',
    change('time/after.json', replaced('"tokenSha256":"', '"tokenSha256":"f')),
    'stamp-differs',
  ],
  [
    'an entry that was changed',
    change('time/after.json', replaced('"authority":"tsa"', '"authority":"tsb"')),
    'proof-refused',
  ],
  [
    'another entry than the last one',
    change('time/before.json', replaced('"v":1', '"v":2')),
    'stamp-differs',
  ],
  ['a token without its entry', (custody) => rm(join(custody, 'time/after.json')), 'proof-missing'],
  ['no certificate', (custody) => rm(join(custody, 'time/tsa.pem')), 'proof-missing'],
];

for (const [what, tamper, code] of TAMPERED) {
  test(`${what} is found`, OPENSSL, async () => {
    const copy = await mkdtemp(join(home, 'copy-'));
    await cp(bag, copy, { recursive: true });
    await tamper(join(copy, 'custody'));
    const codes = (await verified(copy)).findings.map((finding) => finding.code);
    assert.ok(codes.includes(code), `${codes}`);
  });
}

test(
  'tokens of an authority that is not the one that was expected are refused',
  OPENSSL,
  async () => {
    const other = await stampingAuthority(scope);
    const { findings, time } = await verified(bag, other.root);
    assert.deepEqual(new Set(findings.map(({ code }) => code)), new Set(['stamp-refused']));
    assert.deepEqual([time?.after, time?.before], [undefined, undefined]);
  },
);

for (const [how, byMs] of [
  ['dated back', -HOUR_MS],
  ['dated ahead', HOUR_MS],
] as const) {
  test(
    `a chain that the ledger has ${how} by an hour contradicts the authority`,
    OPENSSL,
    async () => {
      const directory = join(home, how.replace(' ', '-'));
      await write(directory, Date.now() + byMs);
      const codes = (await verified(directory)).findings.map(({ code }) => code);
      assert.deepEqual(codes, ['time-contradicted']);
    },
  );
}

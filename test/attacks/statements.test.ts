// SPDX-License-Identifier: Apache-2.0
// Bags whose statements are not what they should be, as whoever runs the ledger could make them.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import type { WorkerId } from '@impound/contracts/ids.ts';
import { LOG_TENANT } from '@impound/contracts/log-key.ts';
import { SignerRegisteredV1 } from '@impound/contracts/signer/registered.v1.ts';
import { SignerRetiredV1 } from '@impound/contracts/signer/retired.v1.ts';
import { signerSuccessionText } from '@impound/contracts/signer.ts';
import { writeBag } from '@impound/evidence/bag.ts';
import type { SignerLog } from '@impound/evidence/custody-log.ts';
import { ACQUISITION, eventIdAt, growingChain } from '@impound/evidence/testing/chain-specimen.ts';
import { type SpecimenSigner, specimenLog } from '@impound/evidence/testing/log-specimen.ts';
import { pieces } from '@impound/evidence/testing/specimen.ts';
import type { Saying } from '@impound/runtime/say.ts';
import { newStatementKey, stated, statementSigner } from '@impound/runtime/statement.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { EXIT } from '../../cli/src/exit-code.ts';
import { forgedBag } from './bag.ts';
import { impound, program } from './detectors.ts';
import { type Evidence, namesOf, someEvidence } from './story.ts';

const [EXECUTOR, UPLOADER] = ['executor-kubernetes', 'uploader'] as const;
const [ONE, TWO, STORING, STRANGE] = Array.from({ length: 4 }, () =>
  statementSigner(newStatementKey()),
) as [Signer, Signer, Signer, Signer];
type Signer = ReturnType<typeof statementSigner>;
/** Places in the chain, counted from 0. */
const [STARTED, CAPTURED, END] = [2, 3, 6] as const;
const BEFORE_ALL = 0;

const log = specimenLog();
const signal = AbortSignal.timeout(60_000);
let evidence: readonly Evidence[];
let home = '';

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'impound-statements-'));
  evidence = await someEvidence(ACQUISITION, 'a shell\n');
});

after(() => rm(home, { recursive: true, force: true }));

function named(service: string, signer: Signer, place: number, more: object = {}): SpecimenSigner {
  const publicKey = signer.publicKey.toString('base64');
  const { add, lines } = growingChain();
  add(SignerRegisteredV1, { tenant: LOG_TENANT, data: { service, publicKey, ...more } });
  return { entry: Buffer.from(lines[0] ?? ''), before: place };
}

function retired(service: string, signer: Signer, place: number): SpecimenSigner {
  const publicKey = signer.publicKey.toString('base64');
  const { add, lines } = growingChain();
  add(SignerRetiredV1, { tenant: LOG_TENANT, data: { service, publicKey } });
  return { entry: Buffer.from(lines[0] ?? ''), before: place };
}

async function vouchedBy(signer: Signer, publicKey: Buffer) {
  const text = signerSuccessionText(EXECUTOR, publicKey.toString('base64'));
  const signature = Buffer.from(await signer.sign(Buffer.from(text))).toString('base64');
  return { vouched: { by: ONE.publicKey.toString('base64'), signature } };
}

/** What is said at a place of the chain, and by what data in its stead. */
type Statement = { payload: string; signatures: object[] };
interface Making {
  readonly signers?: readonly SpecimenSigner[];
  /** Who signs for the executor. */
  readonly by?: Signer;
  /** Another cause than the one at hand. */
  readonly saying?: Partial<Saying>;
  /** Of what was captured. */
  readonly statement?: (own: Statement) => Promise<object | undefined>;
  /** What the bag has instead of the entries that name signers. */
  readonly shown?: (signers: readonly SignerLog[]) => readonly SignerLog[];
}

const ON_RECORD = [named(EXECUTOR, ONE, BEFORE_ALL), named(UPLOADER, STORING, BEFORE_ALL)];

/** Writes a bag of a whole chain, in which what was captured is said in another way. */
async function made(name: string, making: Making = {}): Promise<string> {
  const { add, lines, head } = growingChain();
  const say = async (contract: EventContract, service: string, change: object = {}) => {
    const data = contract.shape.parse({ ...(contract.example as object), ...change });
    add(contract, {
      ...{ data: await signedData(contract, { service, data, lines }, making) },
      ...{ source: `/impound/${service}/w-1`, causationid: eventIdAt(lines.length - 1) },
    });
  };
  const objects = namesOf(evidence);
  add(AcquisitionRequestedV1);
  await say(AcquisitionAssignedV1, 'coordinator');
  await say(ExecutionStartedV1, EXECUTOR);
  await say(EvidenceCapturedV1, EXECUTOR, { objects });
  const [specimen] = EvidenceStoredV1.example.objects;
  const stored = objects.map((object) => ({ ...specimen, ...object }));
  await say(EvidenceStoredV1, UPLOADER, { objects: stored });
  const seal = lines.length;
  const manifest = objects.find((object) => object.name === 'manifest.jsonl')?.sha256;
  const whole = { entries: seal, lastEntry: head() };
  await say(AcquisitionSealedV1, 'coordinator', { objects, manifest, ...whole });
  const content = {
    objects: evidence.map((one) => ({ ...one, content: pieces(one.content) })),
    chain: pieces(Buffer.from(lines.map((line) => `${line}\n`).join(''))),
    info: {},
    log: async (entries: readonly Buffer[]) => {
      const { signers = [], ...more } = await log.record(
        entries,
        seal,
        making.signers ?? ON_RECORD,
      );
      return { ...more, signers: making.shown?.(signers) ?? signers };
    },
  };
  const bag = join(home, name);
  await writeBag(bag, content, signal);
  return bag;
}

async function signedData(
  contract: EventContract,
  of: { readonly service: string; readonly data: object; readonly lines: readonly string[] },
  { by = ONE, saying = {}, statement }: Making,
): Promise<object> {
  const { service, data, lines } = of;
  const signer = service === UPLOADER ? STORING : by;
  const speaker = { service, worker: 'w-1' as WorkerId, log: console, signer };
  const isChanged = contract.type === EvidenceCapturedV1.type;
  const said: Saying = {
    ...{ contract, data: data as never, tenant: 'default', acquisitionId: ACQUISITION },
    ...{ id: eventIdAt(lines.length), causeId: eventIdAt(lines.length - 1) },
    causeHash: leafHash(Buffer.from(lines.at(-1) ?? '')).toString('hex'),
    ...(isChanged ? saying : {}),
  };
  const signed = (await stated(speaker, said, signal)).data as { statement?: Statement };
  if (!isChanged || statement === undefined || signed.statement === undefined) return signed;
  const { statement: own, ...bare } = signed;
  const other = await statement(own);
  return other === undefined ? bare : { ...bare, statement: other };
}

async function verified(bag: string) {
  return await impound(['verify', bag]);
}

test('a chain that is signed as it should be passes', async () => {
  const { code, out } = await verified(await made('good'));
  assert.equal(code, EXIT.ok, out);
  assert.match(out, /3 entries are signed by who captured or stored what they name/);
  const { out: json } = await impound(['verify', join(home, 'good'), '--json']);
  assert.deepEqual(JSON.parse(json).log.statements.named, ['301', '302']);
});

const WAYS: readonly (readonly [string, Making | (() => Promise<Making>), RegExp])[] = [
  [
    'because of an entry that was never before it',
    { saying: { causeHash: 'f'.repeat(64) } },
    /statement-refused: it was said because of the entry f{64}, which does not stand before it/,
  ],
  [
    'because of another entry than the event',
    { saying: { causeId: eventIdAt(0) } },
    /statement-refused: its statement names another cause/,
  ],
  [
    'of another event',
    { saying: { id: eventIdAt(STARTED) } },
    /statement-refused: its statement is about the event 0199f5a2-7c3e-7a10-8f52-0{11}2/,
  ],
  [
    'with nothing signed',
    { statement: async () => undefined },
    /statement-missing: executor-kubernetes has not signed it/,
  ],
  [
    'by a key that nobody has heard of',
    { by: STRANGE },
    /statement-refused: it is signed by no key of executor-kubernetes that counted then/,
  ],
  [
    'by a key that was retired',
    { signers: [...ON_RECORD, retired(EXECUTOR, ONE, CAPTURED)] },
    /statement-refused: nobody was on record then who signs for executor-kubernetes/,
  ],
  [
    'by a key that was retired for another one',
    {
      signers: [...ON_RECORD, ...[named(EXECUTOR, TWO, STARTED), retired(EXECUTOR, ONE, CAPTURED)]],
    },
    /statement-refused: it is signed by no key of executor-kubernetes that counted then/,
  ],
  [
    'by a key that came on record behind it',
    { by: TWO, signers: [...ON_RECORD, named(EXECUTOR, TWO, END)] },
    /statement-refused: it is signed by no key of executor-kubernetes that counted then/,
  ],
  [
    'by a key for which somebody else has vouched',
    async () => {
      const vouched = await vouchedBy(STRANGE, TWO.publicKey);
      return { by: TWO, signers: [...ON_RECORD, named(EXECUTOR, TWO, BEFORE_ALL, vouched)] };
    },
    /signature-refused: \S{44} has not vouched for this key \(custody\/signers\/000003.json/,
  ],
];
for (const [at, [how, way, words]] of WAYS.entries()) {
  test(`what was captured is found where it is said ${how}`, async () => {
    const making = typeof way === 'function' ? await way() : way;
    const { code, out } = await verified(await made(`way-${at}`, making));
    assert.equal(code, EXIT.signature, out);
    assert.match(out, words);
    assert.match(out, /custody\/(entries\/000004|signers\/000003)\.json, index \d+/);
  });
}

test('two statements about one event are none', async () => {
  const { code, out } = await verified(await made('two', { statement: async (own) => [own, own] }));
  assert.equal(code, EXIT.chain, out);
  assert.match(out, /chain-line-invalid: the data of its event is not what the type says/);
});

test('a key for which the one before has vouched signs, and nothing is said of it', async () => {
  const vouched = await vouchedBy(ONE, TWO.publicKey);
  const signers = [...ON_RECORD, named(EXECUTOR, TWO, BEFORE_ALL, vouched)];
  const { code, out } = await verified(await made('vouched', { by: TWO, signers }));
  assert.equal(code, EXIT.ok, out);
  assert.doesNotMatch(out, /vouched/);
});

test('what is signed before anybody is on record counts as unsigned', async () => {
  const signers = [named(EXECUTOR, ONE, CAPTURED), named(UPLOADER, STORING, CAPTURED)];
  const { code, out } = await verified(await made('early', { signers }));
  assert.equal(code, EXIT.ok, out);
  assert.match(out, /2 entries are signed by who captured or stored what they name/);
  assert.match(out, /that executor-kubernetes said entry 3: no key on record has signed it;/);
  assert.match(out, /^verified: everything fits, but NOT PROVEN BY WHOM: .* signed 1 entry /);
});

test('35: a bag leaves out that a key was retired, or who is on record to sign', async () => {
  const signers = [...ON_RECORD, retired(EXECUTOR, ONE, CAPTURED)];
  const others: readonly [string, Making['shown']][] = [
    ['left-out', (all) => all.slice(0, -1)],
    ['all-left-out', () => []],
    ['another-twice', ([one, other]) => [one, one, other] as SignerLog[]],
  ];
  for (const [name, shown] of others) {
    const { code, out } = await verified(await made(name, { signers, ...(shown && { shown }) }));
    assert.equal(code, EXIT.chain, out);
    assert.match(
      out,
      /chain-cut: 3 of the first \d+ leaves of the log name signers; the bag has [02]/,
    );
  }
});

test('files of a statement that are not those of the chain are found', async () => {
  const bag = await made('whole');
  const name = 'custody/statements/000004';
  const other = (text: string) => `${text.slice(0, -3)}xyz`;
  for (const ending of ['json', 'sig', 'pem']) {
    const file = `${name}.${ending}`;
    const changed = await verified(await forgedBag(bag, ending, { [file]: other }));
    assert.equal(changed.code, EXIT.proof, changed.out);
    assert.match(changed.out, new RegExp(`entry-differs: these bytes are not .*${file}`));
    const gone = await verified(await forgedBag(bag, `no-${ending}`, { [file]: undefined }));
    assert.equal(gone.code, EXIT.proof, gone.out);
    assert.match(gone.out, new RegExp(`proof-missing: it cannot be read: .*${file}`));
  }
});

test('of several signatures strangers are given the one that its key has made', async () => {
  const statement = async ({ payload, signatures: [own = {}] }: Statement) => {
    const sig = Buffer.alloc(64, 7).toString('base64');
    const signatures = [{ keyid: 'e'.repeat(64), sig }, own];
    return { payloadType: 'application/vnd.in-toto+json', payload, signatures };
  };
  const bag = await made('several', { statement });
  const { code, out } = await verified(bag);
  assert.equal(code, EXIT.ok, out);
  const at = (ending: string) => join(bag, `custody/statements/000004.${ending}`);
  const payload = await readFile(at('json'));
  const head = Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${payload.length} `);
  const signed = join(home, 'signed');
  await writeFile(signed, Buffer.concat([head, payload]));
  const files = ['-inkey', at('pem'), '-in', signed, '-sigfile', at('sig')];
  const checked = await program('openssl', ['pkeyutl', '-verify', '-rawin', '-pubin', ...files]);
  assert.equal(checked.code, 0, checked.out);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync, hash, verify } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import type { WorkerId } from '@impound/contracts/ids.ts';
import { preAuthText } from '@impound/contracts/statement.ts';
import { readStatement, signedBy } from '@impound/contracts/statement-check.ts';
import type { Saying } from './say.ts';
import { stated, statementSigner } from './statement.ts';

const CAUSE = { id: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d02', entryHash: 'e'.repeat(64) };
const SAYING: Saying = {
  contract: EvidenceCapturedV1,
  data: EvidenceCapturedV1.example,
  id: '0199f5a2-7c3e-8a10-8f52-2f6a3b9c4d03',
  tenant: 'default',
  acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
  causeId: CAUSE.id,
  causeHash: CAUSE.entryHash,
};
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const PEM = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const SIGNER = statementSigner(PEM);
const KEY = SIGNER.publicKey.toString('base64');
const quiet = { warn: () => undefined, error: () => undefined };
const SPEAKER = {
  service: 'executor-kubernetes',
  worker: 'k8s-1-7f3a' as WorkerId,
  log: quiet,
  signer: SIGNER,
};
const { signal } = new AbortController();

const TOOLS = {
  sha256: (text: string) => hash('sha256', text, 'hex'),
  isSigned: (key: string, text: string, sig: string) =>
    key === KEY && verify(null, Buffer.from(text), publicKey, Buffer.from(sig, 'base64')),
};

/** What is said, as the event that the ledger gets. */
function eventOf({ contract, data, id, tenant, acquisitionId, causeId }: Saying): Envelope {
  const source = '/impound/executor-kubernetes/k8s-1-7f3a';
  const where = { id, source, subject: acquisitionId, tenant, causationid: causeId };
  return { ...where, type: contract.type, data } as unknown as Envelope;
}

test('what is captured is signed together with its event, its cause and its objects', async () => {
  const said = await stated(SPEAKER, SAYING, signal);
  const read = readStatement(eventOf(said), EvidenceCapturedV1, TOOLS);
  if (typeof read === 'string') assert.fail(read);
  assert.equal(signedBy(read, ['other', KEY], TOOLS)?.publicKey, KEY);
  const { predicate, subject } = read.payload;
  assert.deepEqual(predicate.cause, CAUSE);
  assert.equal(predicate.epoch, 1);
  assert.deepEqual(
    subject.map(({ name }) => name),
    ['event/data', 'manifest.jsonl'],
  );
  EvidenceCapturedV1.shape.parse(said.data);
});

const CHANGES: readonly (readonly [string, (event: Envelope) => object, RegExp])[] = [
  ['under another id', () => ({ id: CAUSE.id }), /about the event 0199f5a2-7c3e-8a10/],
  ['in another acquisition', () => ({ subject: CAUSE.id }), /is about 0199f5a2/],
  ['for another tenant', () => ({ tenant: 'other' }), /of the tenant default/],
  ['by another service', () => ({ source: '/impound/uploader/up-1' }), /is that of executor-kub/],
  ['because of something else', () => ({ causationid: SAYING.id }), /another cause/],
  ['with another epoch', ({ data }) => ({ data: { ...data, epoch: 2 } }), /another epoch/],
  ['with another word in its data', ({ data }) => ({ data: { ...data, partial: true } }), /data/],
  [
    'with another object',
    ({ data }) => ({ data: { ...data, objects: [{ name: 'x', sha256: 'f'.repeat(64) }] } }),
    /other data/,
  ],
];
for (const [how, change, because] of CHANGES) {
  test(`a statement that is said again ${how} is not about that event`, async () => {
    const event = eventOf(await stated(SPEAKER, SAYING, signal));
    const read = readStatement({ ...event, ...change(event) }, EvidenceCapturedV1, TOOLS);
    assert.match(String(read), because);
  });
}

test('a payload that was changed is signed by nobody', async () => {
  const said = await stated(SPEAKER, SAYING, signal);
  const read = readStatement(eventOf(said), EvidenceCapturedV1, TOOLS);
  if (typeof read === 'string') assert.fail(read);
  const changed = { ...read, text: read.text.replace('k8s-1', 'k8s-2') };
  assert.equal(signedBy(changed, [KEY], TOOLS), undefined);
});

test('what needs no signature, and what is said without a key, stays as it is', async () => {
  const rejected = { ...SAYING, contract: EvidenceRejectedV1, data: EvidenceRejectedV1.example };
  assert.equal(await stated(SPEAKER, rejected, signal), rejected);
  const { signer: _signer, ...nobody } = SPEAKER;
  assert.equal(await stated(nobody, SAYING, signal), SAYING);
});

test('a context without objects is signed by its data', async () => {
  const data = { objects: [], gaps: ['all of it'] };
  const said = await stated(SPEAKER, { ...SAYING, contract: ContextCapturedV1, data }, signal);
  const read = readStatement(eventOf(said), ContextCapturedV1, TOOLS);
  if (typeof read === 'string') assert.fail(read);
  assert.equal(read.payload.subject.length, 1);
});

test('a signer that fails is asked again, and what it says is told', async () => {
  let asked = 0;
  const told: object[] = [];
  const sign = async (message: Uint8Array) => {
    asked += 1;
    if (asked === 1) throw new Error('the module is away');
    return await SIGNER.sign(message);
  };
  const warn = (_phrase: string, fields?: object) => void told.push(fields ?? {});
  const log = { ...quiet, warn };
  const speaker = { ...SPEAKER, log, signer: { ...SIGNER, sign } };
  const said = await stated(speaker, SAYING, signal);
  assert.notEqual(said, SAYING);
  assert.deepEqual(told, [{ attempt: 1, because: 'the module is away' }]);
});

test('a signer that fails is given up when the process ends', async () => {
  const stop = new AbortController();
  const sign = async () => {
    stop.abort();
    throw new Error('the module is away');
  };
  const speaker = { ...SPEAKER, signer: { ...SIGNER, sign } };
  await assert.rejects(stated(speaker, SAYING, stop.signal), { name: 'AbortError' });
});

test('data that fits no contract is not signed: it is refused where it is said', async () => {
  const data = { ...EvidenceCapturedV1.example, startedAt: 'now' };
  assert.equal((await stated(SPEAKER, { ...SAYING, data }, signal)).data, data);
});

test('the length in what is signed counts bytes', () => {
  assert.equal(preAuthText('é'), 'DSSEv1 28 application/vnd.in-toto+json 2 é');
});

for (const pem of ['', 'x', PEM.replaceAll('PRIVATE', 'PUBLIC'), PEM.slice(0, 60)]) {
  test(`${JSON.stringify(pem.slice(0, 12))} of ${pem.length} is no key, and is not repeated`, () => {
    assert.throws(
      () => statementSigner(pem),
      (error: Error) => error.message === 'no Ed25519 key in PEM (PKCS #8)',
    );
  });
}

test('a signer shows nothing of its key', () => {
  assert.doesNotMatch(inspect(SIGNER, { depth: 9 }), /PRIVATE/);
  assert.doesNotMatch(JSON.stringify(SIGNER), /PRIVATE/);
});

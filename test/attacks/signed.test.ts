// SPDX-License-Identifier: Apache-2.0
// Who captures and who stores signs that: what others say in their name is found.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EventContract } from '@impound/contracts/event.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import type { WorkerId } from '@impound/contracts/ids.ts';
import { newId } from '@impound/runtime/ids.ts';
import { newStatementKey, stated, statementSigner } from '@impound/runtime/statement.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { newLogKeys } from '@impound/transparency/log-keys.ts';
import { EXIT } from '../../cli/src/exit-code.ts';
import { type World, world } from '../../services/ledger/test/world.ts';
import { exportBag } from './bag.ts';
import { impound, program } from './detectors.ts';
import { commitMadeUp, storyOf } from './operator.ts';
import { type Scope, scopeOf, startLedger } from './stage.ts';
import { type Sign, type Told, tellStory } from './story.ts';

const EXECUTOR = 'executor-kubernetes';
const SIGNERS = new Map(
  [EXECUTOR, 'uploader'].map((service) => [service, statementSigner(newStatementKey())]),
);
const LISTED = JSON.stringify(
  Object.fromEntries(
    [...SIGNERS].map(([service, { publicKey }]) => [
      service,
      [{ publicKey: publicKey.toString('base64') }],
    ]),
  ),
);

/** Signs as the service that says it does, or as somebody else. */
const signing =
  (by = SIGNERS): Sign =>
  async (saying, cause) => {
    const service = saying.contract.type === 'evidence.stored.v1' ? 'uploader' : EXECUTOR;
    const signer = by.get(service);
    const speaker = { service, worker: 'w-1' as WorkerId, log: console, signer };
    const caused = { ...saying, causeHash: cause.entryHash };
    return await stated(speaker, caused, AbortSignal.timeout(280_000));
  };

type Data = Record<string, unknown>;

async function capturedIn(it: World, { acquisitionId }: Told) {
  const [row] = await it.sql()`select convert_from(entry, 'UTF8')::jsonb -> 'event' as event
    from ledger_entry where acq = ${acquisitionId} and type = 'evidence.captured.v1'`;
  return row?.['event'] as { id: string; causationid: string; data: Data };
}

/** What comes over the bus in the name of the executor. */
async function replayed(it: World, told: Told): Promise<void> {
  const { id, causationid: causeId, data } = await capturedIn(it, told);
  const other = (await tellStory(it, newId(), 'another', signing())).acquisitionId;
  const contract: EventContract = EvidenceCapturedV1;
  const [first] = data['objects'] as readonly object[];
  const objects = [{ ...first, sha256: 'f'.repeat(64) }];
  const strangers = new Map([[EXECUTOR, statementSigner(newStatementKey())]]);
  const bare = { contract, data: { ...data, objects }, tenant: 'default', causeId };
  const of = { ...bare, id: newId(), acquisitionId: told.acquisitionId };
  const forged = await signing(strangers)(of, { id: causeId, entryHash: 'e'.repeat(64) });
  const { statement: _statement, ...unsigned } = data;
  const ways: readonly (readonly [string, string, Data, RegExp])[] = [
    [newId(), told.acquisitionId, data, new RegExp(`is about the event ${id}`)],
    [id, other, data, new RegExp(`its statement is about ${told.acquisitionId}`)],
    [id, told.acquisitionId, { ...data, objects }, /its statement is about other data/],
    [of.id, told.acquisitionId, forged.data as Data, /not signed by a key of executor-kubernetes/],
    [newId(), told.acquisitionId, unsigned, /executor-kubernetes has not signed it/],
  ];
  for (const [as, acq, said, because] of ways) {
    const reply = await it.say(contract, acq, said, { id: as, causeId });
    assert.equal(!reply.ok && reply.refusal, 'forbidden');
    assert.match(reply.ok ? '' : reply.because, because);
  }
}

test('17: what was captured is said once more, under another id and with other evidence', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'impound-signed-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await using scope = new AsyncDisposableStack();
  const secret = newLogKeys('ledger.example.org/custody/1');
  const on: Scope = scopeOf(scope);
  const it = await world(on as never, { keys: secret });
  const running = await startLedger(scope, it, { SIGNERS: LISTED });
  const honest = await tellStory(it, newId(), 'as it was', signing());
  await replayed(it, honest);
  await running[Symbol.asyncDispose]();
  // Whoever runs the ledger needs nobody's door.
  const { statement } = (await capturedIn(it, honest)).data;
  const [unsigned, borrowed] = [
    await storyOf(newId(), Date.now()),
    await storyOf(newId(), Date.now()),
  ];
  const events = borrowed.events.map((one) => {
    const isCaptured = one.contract === EvidenceCapturedV1;
    return isCaptured ? { ...one, change: { ...one.change, statement } } : one;
  });
  await commitMadeUp(it.database, secret, unsigned);
  await commitMadeUp(it.database, secret, { ...borrowed, events });
  await startLedger(scope, it, {});
  const sql = it.sql();
  await wholeSigned(it);
  const policy = join(folder, 'policy');
  await writeFile(policy, 'quorum none\n');
  const bagOf = async (told: Told, name: string): Promise<string> => {
    await exportBag(sql, { told, secret, policy }, join(folder, name));
    return join(folder, name);
  };
  const bag = await bagOf(honest, 'honest');
  const signers = join(folder, 'signers.json');
  await writeFile(signers, LISTED);
  for (const more of [[], ['--signers', signers]]) {
    const good = await impound(['verify', bag, ...more]);
    assert.equal(good.code, EXIT.ok, good.out);
    assert.match(good.out, /3 entries are signed by who captured or stored what they name/);
  }
  await checkedByOpenssl(bag);
  const planted = await impound(['verify', await bagOf(unsigned.told, 'unsigned')]);
  assert.equal(planted.code, EXIT.signature, planted.out);
  assert.match(planted.out, /statement-missing: gateway has not signed it \(custody\/entries/);
  const copied = await impound(['verify', await bagOf(borrowed.told, 'borrowed')]);
  assert.equal(copied.code, EXIT.signature, copied.out);
  assert.match(copied.out, /statement-refused: its statement is about the event/);
  const publicKey = statementSigner(newStatementKey()).publicKey.toString('base64');
  await writeFile(signers, JSON.stringify({ [EXECUTOR]: [{ publicKey }] }));
  const strange = await impound(['verify', bag, '--signers', signers]);
  assert.equal(strange.code, EXIT.signature, strange.out);
  assert.match(strange.out, /statement-refused: it is signed by no key of executor-kubernetes/);
});

test('a key that whoever runs the ledger puts on record is found by whoever has the list', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'impound-signed-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await using scope = new AsyncDisposableStack();
  const secret = newLogKeys('ledger.example.org/custody/1');
  const it = await world(scopeOf(scope) as never, { keys: secret });
  const first = await startLedger(scope, it, { SIGNERS: LISTED });
  await tellStory(it, newId(), 'as it was', signing());
  await first[Symbol.asyncDispose]();
  const own = statementSigner(newStatementKey());
  const listed = JSON.parse(LISTED) as Record<string, object[]>;
  listed[EXECUTOR]?.push({ publicKey: own.publicKey.toString('base64') });
  await startLedger(scope, it, { SIGNERS: JSON.stringify(listed) });
  const made = await tellStory(
    it,
    newId(),
    'made up',
    signing(new Map([...SIGNERS, [EXECUTOR, own]])),
  );
  await wholeSigned(it);
  const [bag, policy, signers] = ['bag', 'policy', 'signers.json'].map((one) => join(folder, one));
  await writeFile(policy as string, 'quorum none\n');
  await writeFile(signers as string, LISTED);
  await exportBag(it.sql(), { told: made, secret, policy: policy as string }, bag as string);
  const alone = await impound(['verify', bag as string]);
  assert.equal(alone.code, EXIT.ok, alone.out);
  assert.match(alone.out, /the key of executor-kubernetes before it has not vouched for it/);
  const listedOnly = await impound(['verify', bag as string, '--signers', signers as string]);
  assert.equal(listedOnly.code, EXIT.signature, listedOnly.out);
  assert.match(listedOnly.out, /statement-refused: it is signed by no key of executor-kubernetes/);
});

/** Waits until all that was said lies below a checkpoint. */
async function wholeSigned(it: World): Promise<void> {
  await until(async () => {
    const [row] = await it.sql()`select max(size_after) = (select max(size) from ledger_checkpoint
      where head = 'own') as whole from ledger_batch`;
    return row?.['whole'] === true;
  });
}

/** openssl accepts each statement by its key, and refuses it by another. */
async function checkedByOpenssl(bag: string): Promise<void> {
  const at = (name: string) => join(bag, 'custody/statements', name);
  const payload = await readFile(at('000006.json'));
  const signed = join(bag, '..', 'signed');
  const head = `DSSEv1 28 application/vnd.in-toto+json ${payload.length} `;
  await writeFile(signed, Buffer.concat([Buffer.from(head), payload]));
  const { publicKey } = generateKeyPairSync('ed25519');
  const other = join(bag, '..', 'other.pem');
  await writeFile(other, publicKey.export({ format: 'pem', type: 'spki' }));
  const verify = async (key: string) => {
    const files = ['-inkey', key, '-in', signed, '-sigfile', at('000006.sig')];
    const words = ['pkeyutl', '-verify', '-rawin', '-pubin', ...files];
    return (await program('openssl', words)).code;
  };
  assert.equal(await verify(at('000006.pem')), 0);
  assert.notEqual(await verify(other), 0);
}

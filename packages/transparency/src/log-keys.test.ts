// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCheckpoint } from './checkpoint.ts';
import { EMPTY_ROOT } from './hash.ts';
import {
  headSigners,
  newLogKeys,
  readLogKeys,
  rotatedLogKeys,
  succeedingLogKeys,
  successorText,
} from './log-keys.ts';
import { isSigned, signNote } from './note.ts';

const SECRET = newLogKeys('log.test/1');
const KEYS = readLogKeys(SECRET);

async function noteOf(secret: string, size: bigint): Promise<string> {
  const signer = headSigners(readLogKeys(secret)).own;
  return await signNote(formatCheckpoint({ origin: signer.vkey.name, size, root: EMPTY_ROOT }), [
    signer,
  ]);
}

test('the keys of a log differ from each other and from those of any other log', () => {
  const other = readLogKeys(newLogKeys('log.test/1'));
  const all = [KEYS, other].flatMap(({ checkpoint, sigsum, submitter }) => [
    ...[checkpoint, sigsum, submitter].map(({ publicKey }) => publicKey.toString('hex')),
  ]);
  assert.equal(new Set(all).size, 6);
});

test('a key that is changed leaves the others, and the one before it at hand to vouch', () => {
  const keys = readLogKeys(rotatedLogKeys(SECRET, 'sigsum'));
  assert.deepEqual(keys.checkpoint.publicKey, KEYS.checkpoint.publicKey);
  assert.notDeepEqual(keys.sigsum.publicKey, KEYS.sigsum.publicKey);
  assert.deepEqual(keys.previous.sigsum?.[0]?.publicKey, KEYS.sigsum.publicKey);
  assert.equal(keys.previous.checkpoint, undefined);
});

test('whatever is changed before the ledger starts again, the key on record stays to vouch', () => {
  let secret = SECRET;
  for (const role of ['checkpoint', 'sigsum', 'checkpoint', 'submitter'] as const) {
    secret = rotatedLogKeys(secret, role);
  }
  const { previous } = readLogKeys(secret);
  for (const role of ['checkpoint', 'sigsum', 'submitter'] as const) {
    assert.deepEqual(previous[role]?.at(-1)?.publicKey, KEYS[role].publicKey, role);
  }
});

test('a secret that holds one key before, as it was once written, is read', () => {
  const { previous, ...keys } = JSON.parse(rotatedLogKeys(SECRET, 'sigsum'));
  const older = JSON.stringify({ ...keys, previous: { sigsum: previous.sigsum[0] } });
  assert.deepEqual(readLogKeys(older).previous.sigsum?.[0]?.publicKey, KEYS.sigsum.publicKey);
});

test('a log that takes the place of another has a name and keys of its own, and its word', async () => {
  const about = { note: await noteOf(SECRET, 9n), held: 7, orderedBy: 'J. Doe', because: 'lost' };
  const next = readLogKeys(await succeedingLogKeys(SECRET, 'log.test/2', about));
  assert.equal(next.origin, 'log.test/2');
  assert.notDeepEqual(next.checkpoint.publicKey, KEYS.checkpoint.publicKey);
  const { vouched, ...said } = next.succeeds ?? assert.fail('it names no log before it');
  assert.deepEqual(said, about);
  const isVouched = (held: number) =>
    isSigned(
      KEYS.checkpoint.publicKey,
      Buffer.from(successorText({ ...about, held }, next)),
      Buffer.from(vouched, 'base64'),
    );
  assert.deepEqual([isVouched(7), isVouched(8)], [true, false]);
});

test('no log takes the place of one whose last checkpoint it does not have, or under its name', async () => {
  const about = { note: await noteOf(SECRET, 9n), held: 7, orderedBy: 'J. Doe', because: 'lost' };
  const forged = { ...about, note: await noteOf(newLogKeys('log.test/1'), 9n) };
  await assert.rejects(succeedingLogKeys(SECRET, 'log.test/2', forged), /known keys has signed/);
  await assert.rejects(succeedingLogKeys(SECRET, 'log.test/1', about), /needs another name/);
  const more = { ...about, held: 10 };
  await assert.rejects(succeedingLogKeys(SECRET, 'log.test/2', more), /more than was ever signed/);
});

for (const secret of ['', '[]', '{}', '{"origin":"a b"}', SECRET.replaceAll('PRIVATE', 'PUBLIC')]) {
  test(`${JSON.stringify(secret.slice(0, 20))} is no secret of a log, and is not repeated`, () => {
    assert.throws(
      () => readLogKeys(secret),
      (error: Error) => error.name === 'ProofFault' && !error.message.includes('BEGIN'),
    );
  });
}

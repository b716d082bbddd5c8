// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { entryText, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import { SignerRegisteredV1 } from '@impound/contracts/signer/registered.v1.ts';
import { SignerRetiredV1 } from '@impound/contracts/signer/retired.v1.ts';
import { newStatementKey, statementSigner } from '@impound/runtime/statement.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { judgeStatements, newStatementJudge } from './judge-statements.ts';
import { type Speech, signedSpeechOf, speechOf } from './speaker.ts';

const acq = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const data = ContextCapturedV1.shape.parse(ContextCapturedV1.example);
const signer = statementSigner(newStatementKey());
const key = { service: 'discovery', publicKey: signer.publicKey.toString('base64') };
const { signal } = new AbortController();

function leafOf({ bytes }: Pick<Speech, 'bytes'>): Buffer {
  const recordedAt = '2026-11-28T00:00:00.000000Z';
  const salt = Buffer.alloc(16).toString('base64');
  const at = { acq, acqSeq: 1, acqPrev: NO_PREVIOUS, recordedAt, salt };
  return Buffer.from(entryText(at, Buffer.from(bytes).toString('utf8')));
}

const registered = leafOf(speechOf('ledger', SignerRegisteredV1, { acq, data: key }));
const retired = leafOf(speechOf('ledger', SignerRetiredV1, { acq, data: key }));
const requested = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
const first = speechOf('gateway', AcquisitionRequestedV1, { acq, data: requested });
const before = leafOf(first);
const cause = { id: first.id, entryHash: leafHash(before).toString('hex') };
const about = { acq, data, cause };
const signed = await captured(about);
const unknown = await captured({ ...about, cause: { ...cause, entryHash: 'e'.repeat(64) } });
const unsigned = leafOf(speechOf('discovery', ContextCapturedV1, about));
const altered = Buffer.from(signed.toString('utf8').replace('2345', '2346'));

async function captured(what: typeof about): Promise<Buffer> {
  return leafOf(await signedSpeechOf('discovery', ContextCapturedV1, what, { signer, signal }));
}

/** What is said of the last of these leaves, each of them given on its own. */
function judged(...leaves: readonly Buffer[]): string {
  const judge = newStatementJudge();
  return (
    leaves
      .map((bytes, idx) => judgeStatements(judge, [{ idx, bytes }]))
      .at(-1)
      ?.join() ?? ''
  );
}

test('what is signed by a key on record, because of an entry before it, is as promised', () => {
  const judge = newStatementJudge();
  const leaves = [before, registered, signed].map((bytes, idx) => ({ idx, bytes }));
  assert.deepEqual([judgeStatements(judge, leaves), judge.signed, judge.next], [[], 1, 3]);
});

const WRONGS: readonly (readonly [string, readonly Buffer[], RegExp])[] = [
  ['nobody signed', [before, registered, unsigned], /discovery has not signed it/],
  ['was signed by a key that nobody knew yet', [before, signed], /by no key of discovery/],
  ['was signed by a retired key', [before, registered, retired, signed], /by no key of discovery/],
  ['says something else than was signed', [before, registered, altered], /about other data/],
  ['names a cause that is not there', [registered, unknown], /does not stand before it/],
  ['names another cause', [before, registered, unknown], /does not stand before it/],
  ['registers a key twice', [registered, registered], /registered twice/],
  ['retires a key that does not count', [retired], /did not count/],
];

for (const [what, leaves, words] of WRONGS) {
  test(`an entry that ${what} is found out`, () => {
    assert.match(judged(...leaves), words);
  });
}

// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { LedgerSignersV1 } from '@impound/contracts/ask/ledger.signers.v1.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import type { WorkerId } from '@impound/contracts/ids.ts';
import { signerSuccessionText } from '@impound/contracts/signer.ts';
import { newId } from '@impound/runtime/ids.ts';
import { newStatementKey, stated, statementSigner } from '@impound/runtime/statement.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { parseCheckpoint } from '@impound/transparency/checkpoint.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { parseNote } from '@impound/transparency/note.ts';
import { verifyInclusion } from '@impound/transparency/proof-check.ts';
import { startWith } from './outside-world.ts';
import { assigned, requested, started, type World, world } from './world.ts';

const SERVICE = 'executor-kubernetes';
const [ONE, OTHER] = [newStatementKey(), newStatementKey()].map(statementSigner);
if (ONE === undefined || OTHER === undefined) throw new Error('no signers');

type Signer = typeof ONE;

function publicOf({ publicKey }: Signer): string {
  return publicKey.toString('base64');
}

async function vouchedBy(signer: Signer, next: Signer) {
  const text = signerSuccessionText(SERVICE, publicOf(next));
  const signature = Buffer.from(await signer.sign(Buffer.from(text))).toString('base64');
  return { publicKey: publicOf(next), vouched: { by: publicOf(signer), signature } };
}

const signers = (...keys: readonly object[]) => ({ SIGNERS: JSON.stringify({ [SERVICE]: keys }) });
const CAUSE = { id: newId(), entryHash: 'e'.repeat(64) };

/** Says what an executor says, signed by somebody or nobody; another event may be put in place. */
async function say(
  it: World,
  acq: string,
  { by, as = acq }: { readonly by?: Signer; readonly as?: string },
) {
  const contract: EventContract = ExecutionStartedV1;
  const id = newId();
  const saying = { contract, data: started, id, tenant: 'default', acquisitionId: acq };
  const speaker = { service: SERVICE, worker: 'w-1' as WorkerId, log: console, signer: by };
  const { data } = await stated(
    speaker,
    { ...saying, causeId: CAUSE.id, causeHash: CAUSE.entryHash },
    AbortSignal.timeout(280_000),
  );
  return await it.say(contract, as, data, { id, causeId: CAUSE.id });
}

/** An acquisition whose first epoch can be claimed. */
async function begun(it: World): Promise<string> {
  const acq = newId();
  await it.say(AcquisitionRequestedV1, acq, requested);
  await it.say(AcquisitionAssignedV1, acq, assigned);
  return acq;
}

async function recorded(it: World): Promise<readonly { type: string; publicKey: string }[]> {
  const rows = await it.sql()`select type, convert_from(entry, 'UTF8')::jsonb as entry
    from ledger_entry where type like 'signer.%' order by idx`;
  return rows.map(({ type, entry }) => ({ type, publicKey: entry.event.data.publicKey }));
}

test('what a service with a key on record has not signed is not taken, and what it has is', async (t) => {
  const it = await world(t);
  await startWith(t, it, signers({ publicKey: publicOf(ONE) }));
  const [acq, other] = [await begun(it), await begun(it)];
  const refusals = [
    [{}, /executor-kubernetes has not signed it: give it STATEMENT_KEY/],
    [{ by: OTHER }, /not signed by a key of executor-kubernetes that is on record/],
    [{ by: ONE, as: other }, new RegExp(`its statement is about ${acq}`)],
  ] as const;
  for (const [how, because] of refusals) {
    const reply = await say(it, acq, how);
    assert.equal(!reply.ok && reply.refusal, 'forbidden');
    assert.match(reply.ok ? '' : reply.because, because);
  }
  assert.equal((await say(it, acq, { by: ONE })).ok, true);
});

test('a ledger that knows no signers takes what is not signed, as it says', async (t) => {
  const it = await world(t);
  await it.start();
  assert.equal((await say(it, await begun(it), {})).ok, true);
});

test('keys come and go by entries, both count in between, and a start without them changes nothing', async (t) => {
  const it = await world(t);
  const stop = async (more: Record<string, string>) =>
    await (await startWith(t, it, more))[Symbol.asyncDispose]();
  await stop(signers({ publicKey: publicOf(ONE) }));
  const next = await vouchedBy(ONE, OTHER);
  const running = await startWith(t, it, signers({ publicKey: publicOf(ONE) }, next));
  for (const by of [ONE, OTHER]) assert.equal((await say(it, await begun(it), { by })).ok, true);
  await running[Symbol.asyncDispose]();
  await stop(signers(next));
  const last = await startWith(t, it, {});
  assert.equal((await say(it, await begun(it), { by: ONE })).ok, false);
  assert.equal((await say(it, await begun(it), { by: OTHER })).ok, true);
  await last[Symbol.asyncDispose]();
  assert.deepEqual(await recorded(it), [
    { type: 'signer.registered.v1', publicKey: publicOf(ONE) },
    { type: 'signer.registered.v1', publicKey: publicOf(OTHER) },
    { type: 'signer.retired.v1', publicKey: publicOf(ONE) },
  ]);
  await assert.rejects(
    stop(signers({ publicKey: publicOf(ONE) }, next)),
    /was retired: make a new/,
  );
});

test('a ledger does not start with a false word for a key, or with signers that are none', async (t) => {
  const it = await world(t);
  const { vouched } = await vouchedBy(OTHER, ONE);
  const forged = { publicKey: publicOf(OTHER), vouched };
  await assert.rejects(startWith(t, it, signers(forged)), /is not vouched for by .*, as it says/);
  const others = [
    ['{', /SIGNERS is not what it should be: no list of public keys by service/],
    ['{"gateway":[]}', /no list of public keys/],
    [JSON.stringify({ gateway: [{ publicKey: publicOf(ONE) }] }), /a service that signs nothing/],
  ] as const;
  for (const [SIGNERS, because] of others) {
    await assert.rejects(startWith(t, it, { SIGNERS }), because);
  }
});

test('whoever asks gets the entries that put signers on record, with their proofs', async (t: TestContext) => {
  const it = await world(t);
  await startWith(t, it, signers({ publicKey: publicOf(ONE) }));
  await begun(it);
  let note = '';
  await until(async () => {
    const [row] = await it.sql()`select note from ledger_checkpoint
      where head = 'own' and size >= 2 order by size desc limit 1`;
    note = String(row?.['note'] ?? '');
    return note !== '';
  });
  const { size, root } = parseCheckpoint(parseNote(Buffer.from(note)).text);
  const { entries, more } = await it.ask(LedgerSignersV1, { size: Number(size) });
  assert.equal(more, false);
  const [one, ...others] = entries;
  if (one === undefined) assert.fail('nobody is on record');
  assert.equal(others.length, 0);
  const path = one.path.map((hash) => Buffer.from(hash, 'base64'));
  const leaf = leafHash(Buffer.from(one.entry));
  verifyInclusion({ index: BigInt(one.index), path, size, root, leaf });
  const behind = await it.ask(LedgerSignersV1, { size: Number(size), after: one.index });
  assert.deepEqual(behind, { entries: [], more: false });
});

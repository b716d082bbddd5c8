// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionExpiredV1 } from '@impound/contracts/acquisition/expired.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import { LedgerListV1 } from '@impound/contracts/ask/ledger.list.v1.ts';
import { LedgerOpenV1 } from '@impound/contracts/ask/ledger.open.v1.ts';
import { AuditReadV1 } from '@impound/contracts/audit/read.v1.ts';
import type { AuditFilter } from '@impound/contracts/audit.ts';
import { Entry } from '@impound/contracts/entry.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { newId } from '@impound/runtime/ids.ts';
import { expired, missing, requested, type World, world } from './world.ts';

const tenant = 'default' as never;
const read = AuditReadV1.shape.parse(AuditReadV1.example);

/** Every entry that fits, over as many pages as it takes, and how many those were. */
async function audited(it: World, filter: object, limit = 1_000) {
  const entries: Entry[] = [];
  const seqs: number[] = [];
  let pages = 0;
  for (let after: number | undefined = -1; after !== undefined; pages++) {
    const page: Awaited<ReturnType<typeof it.ask<typeof LedgerAuditV1>>> = await it.ask(
      LedgerAuditV1,
      { tenant, filter: filter as AuditFilter, after, limit },
    );
    assert.ok(page.entries.every(({ seq }) => seq < page.size));
    seqs.push(...page.entries.map(({ seq }) => seq));
    entries.push(...page.entries.map(({ text }) => Entry.parse(JSON.parse(text))));
    after = page.next;
  }
  assert.deepEqual(
    seqs,
    [...new Set(seqs)].toSorted((a, b) => a - b),
    'order of the log',
  );
  return { entries, seqs, pages };
}

const types = (of: { entries: readonly Entry[] }) => of.entries.map(({ event }) => event.type);

test('an auditor finds entries by case, acquisition, actor, type, target and time', async (t) => {
  const it = await world(t);
  await it.start();
  const [one, two] = [newId(), newId()];
  await it.say(AcquisitionRequestedV1, one, requested);
  await it.say(TargetMissingV1, one, missing);
  const target = { ...requested.target, namespace: 'payments' };
  await it.say(AcquisitionRequestedV1, two, { ...requested, caseId: 'IR-2' as never, target });
  await it.say(AcquisitionRequestedV1, newId(), requested, { tenant: 'other' });
  const all = await audited(it, {});
  assert.deepEqual(all.seqs, [1, 2, 3], 'another tenant is not there');
  const found = async (filter: object) => (await audited(it, filter)).seqs;
  assert.deepEqual(await found({ caseId: requested.caseId }), [1, 2]);
  assert.deepEqual(await found({ acquisitionId: two }), [3]);
  assert.deepEqual(await found({ target: formatTarget(target) }), [3]);
  assert.deepEqual(await found({ type: 'target.missing.v1' }), [2]);
  assert.deepEqual(await found({ actor: requested.requestedBy.id }), [1, 3]);
  assert.deepEqual(await found({ caseId: 'IR-2', type: 'target.missing.v1' }), []);
  const [first, , third] = all.entries;
  assert.ok(first && third);
  assert.deepEqual(await found({ recordedFrom: third.recordedAt }), [3]);
  assert.deepEqual(await found({ recordedTo: third.recordedAt }), [1, 2]);
  assert.deepEqual(await found({ claimedFrom: third.event.time }), [3]);
  assert.deepEqual(await found({ claimedTo: first.event.time }), []);
});

test('pages add up to the whole whatever their size, and what is long is cut', async (t) => {
  const it = await world(t);
  await it.start();
  const long = { ...missing, because: 'x'.repeat(2_000) };
  for (let n = 0; n < 150; n++) {
    const acq = newId();
    await it.say(AcquisitionRequestedV1, acq, requested);
    await it.say(TargetMissingV1, acq, long);
  }
  const whole = await audited(it, {});
  assert.equal(whole.seqs.length, 300);
  assert.ok(whole.pages > 1, 'one message cannot carry all of it');
  for (const limit of [7, 100]) {
    const paged = await audited(it, { type: 'target.missing.v1' }, limit);
    assert.equal(paged.seqs.length, 150);
  }
});

test('who reads is on record in a chain of its own, which is no acquisition', async (t) => {
  const it = await world(t);
  await it.start();
  const acq = newId();
  await it.say(AcquisitionRequestedV1, acq, requested);
  await it.say(AcquisitionExpiredV1, acq, expired);
  const reply = await it.say(AuditReadV1, newId(), read, { as: 'gateway' });
  assert.ok(reply.ok, JSON.stringify(reply));
  await it.say(AuditReadV1, newId(), { ...read, caseId: undefined }, { as: 'gateway' });
  assert.deepEqual(types(await audited(it, { actor: 'auditor' })), [
    'audit.read.v1',
    'audit.read.v1',
  ]);
  const ofCase = types(await audited(it, { caseId: requested.caseId }));
  assert.deepEqual(ofCase.slice(-1), ['audit.read.v1']);
  const { acquisitions } = await it.ask(LedgerListV1, { tenant, limit: 50 });
  assert.deepEqual(
    acquisitions.map(({ acquisitionId }) => acquisitionId),
    [acq],
  );
  assert.deepEqual((await it.ask(LedgerOpenV1, { tenant, after: -1, limit: 10 })).chains, []);
});

// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionExpiredV1 } from '@impound/contracts/acquisition/expired.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { LedgerEntryV1 } from '@impound/contracts/ask/ledger.entry.v1.ts';
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { LedgerHistoryV1 } from '@impound/contracts/ask/ledger.history.v1.ts';
import { LedgerListV1 } from '@impound/contracts/ask/ledger.list.v1.ts';
import { LedgerOpenV1 } from '@impound/contracts/ask/ledger.open.v1.ts';
import { Entry, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { newId } from '@impound/runtime/ids.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { assigned, expired, keptLog, missing, requested, started, world } from './world.ts';

const tenant = 'default' as never;

/** The place of a say that must have been recorded. */
function place(reply: SayReply) {
  assert.ok(reply.ok, JSON.stringify(reply));
  return reply;
}

test('says that arrive together are committed together, without gaps', async (t) => {
  const it = await world(t);
  await it.start();
  await it.say(AcquisitionRequestedV1, newId(), requested);
  const replies = await Promise.all(
    Array.from({ length: 200 }, () => it.say(AcquisitionRequestedV1, newId(), requested)),
  );
  const seqs = replies.map((reply) => place(reply).seq).toSorted((a, b) => a - b);
  assert.deepEqual(
    seqs,
    Array.from({ length: 200 }, (_, n) => n + 2),
  );
  const [row] = await it.sql()`select count(*)::int as batches from ledger_batch`;
  assert.ok(Number(row?.['batches']) < 60, `${row?.['batches']} batches`);
  await until(() => it.heard.length === 201);
  assert.deepEqual(
    it.heard.map(({ seq }) => seq),
    Array.from({ length: 201 }, (_, n) => n + 1),
  );
});

test('a chain links its entries, and history gives the bytes that were hashed', async (t) => {
  const it = await world(t);
  await it.start();
  const acq = newId();
  const first = place(await it.say(AcquisitionRequestedV1, acq, requested));
  const second = place(await it.say(TargetMissingV1, acq, missing));
  const asked = { tenant, acquisitionId: acq as never };
  const history = await it.ask(LedgerHistoryV1, { ...asked, after: 0 });
  assert.equal(history.version, 2);
  const leaf = (text: string) => createHash('sha256').update(`\x00${text}`).digest('hex');
  const entries = history.entries.map(({ text }) => Entry.parse(JSON.parse(text)));
  assert.deepEqual(
    history.entries.map(({ text }) => leaf(text)),
    [first.entryHash, second.entryHash],
  );
  assert.deepEqual(
    entries.map(({ acqPrev }) => acqPrev),
    [NO_PREVIOUS, first.entryHash],
  );
  const rest = await it.ask(LedgerHistoryV1, { ...asked, after: 1 });
  assert.deepEqual(rest.entries, history.entries.slice(1));
  const other = await it.ask(LedgerHistoryV1, { ...asked, tenant: 'other' as never, after: 0 });
  assert.deepEqual(other, { version: 0, entries: [] });
});

test('head, open and list follow a chain from its beginning to its end', async (t) => {
  const it = await world(t);
  await it.start();
  const acq = newId();
  const asked = { tenant, acquisitionId: acq as never };
  const none = await it.ask(LedgerHeadV1, asked);
  assert.deepEqual(none, { version: 0, stop: false, ended: false });
  const requestId = newId();
  await it.say(AcquisitionRequestedV1, acq, requested, { id: requestId });
  await it.say(AcquisitionAssignedV1, acq, assigned, { causeId: requestId });
  const claim = place(await it.say(ExecutionStartedV1, acq, started));
  const causedBy = { id: requestId as never, service: 'coordinator' };
  assert.deepEqual(await it.ask(LedgerHeadV1, { ...asked, causedBy }), {
    version: 3,
    head: claim.entryHash,
    epoch: 1,
    claimedBy: started.worker,
    stop: false,
    ended: false,
    caused: true,
  });
  const target = formatTarget(requested.target) as never;
  const open = () => it.ask(LedgerOpenV1, { target, after: -1, limit: 10 });
  assert.deepEqual((await open()).chains, [{ ...asked, seq: 1, version: 3 }]);
  const by = (actor: string) => it.ask(LedgerOpenV1, { tenant, actor, after: -1, limit: 10 });
  assert.deepEqual((await by(requested.requestedBy.id)).chains, (await open()).chains);
  assert.deepEqual((await by('somebody-else')).chains, []);
  const entry = await it.ask(LedgerEntryV1, { tenant, eventId: requestId as never });
  assert.equal(entry.acquisitionId, acq);
  assert.equal(JSON.parse(entry.text ?? '').event.id, requestId);
  for (const none of [
    { tenant, eventId: newId() as never },
    { tenant: 'other' as never, eventId: requestId as never },
  ]) {
    assert.deepEqual(await it.ask(LedgerEntryV1, none), {});
  }
  await it.say(AcquisitionExpiredV1, acq, expired);
  assert.deepEqual((await open()).chains, []);
  const { acquisitions } = await it.ask(LedgerListV1, { tenant, limit: 10 });
  assert.equal(acquisitions[0]?.ended, 'acquisition.expired.v1');
  assert.equal(acquisitions[0]?.version, 4);
  const head = await it.ask(LedgerHeadV1, asked);
  assert.deepEqual([head.stop, head.ended, head.epoch], [true, true, undefined]);
  assert.equal(head.ending, 'acquisition.expired.v1');
});

test('a repeat gets the first answer; one that differs is put on record once', async (t) => {
  const it = await world(t);
  await it.start();
  const [acq, id] = [newId(), newId()];
  const said = await Promise.all(
    Array.from({ length: 8 }, () => it.say(AcquisitionRequestedV1, acq, requested, { id })),
  );
  const places = said.map(place);
  assert.equal(new Set(places.map(({ entryHash }) => entryHash)).size, 1);
  assert.equal(places.filter(({ repeated }) => !repeated).length, 1);
  assert.ok(places.every(({ differs }) => !differs));
  const other = { ...requested, reason: 'another reason' };
  const differing = place(await it.say(AcquisitionRequestedV1, acq, other, { id }));
  assert.deepEqual([differing.repeated, differing.differs, differing.version], [true, true, 1]);
  const asked = { tenant, acquisitionId: acq as never, after: 0 };
  const { entries } = await it.ask(LedgerHistoryV1, asked);
  const types = entries.map(({ text }) => JSON.parse(text).event.type);
  assert.deepEqual(types, ['acquisition.requested.v1', 'conflict.noticed.v1']);
});

test('of many who expect one version one is recorded, the others learn the new one', async (t) => {
  const it = await world(t);
  await it.start();
  const acq = newId();
  await it.say(AcquisitionRequestedV1, acq, requested);
  const replies = await Promise.all(
    Array.from({ length: 5 }, () => it.say(TargetMissingV1, acq, missing, { expectedVersion: 1 })),
  );
  assert.equal(replies.filter(({ ok }) => ok).length, 1);
  const refused = replies.filter((reply) => !reply.ok);
  assert.ok(refused.every(({ refusal, version }) => refusal === 'conflict' && version === 2));
});

test('of many who claim an epoch one holds it, and what the others did is on record', async (t) => {
  const it = await world(t);
  await it.start();
  const acq = newId();
  await it.say(AcquisitionRequestedV1, acq, requested);
  await it.say(AcquisitionAssignedV1, acq, assigned);
  const claims = await Promise.all(
    ['a', 'b', 'c'].map((worker) =>
      it.say(ExecutionStartedV1, acq, { ...started, worker: worker as never }),
    ),
  );
  assert.equal(claims.filter(({ ok }) => ok).length, 1);
  assert.equal(claims.filter((one) => !one.ok && one.refusal === 'fenced').length, 2);
  const rows = await it.sql()`select type from ledger_entry where type = 'execution.fenced.v1'`;
  assert.equal(rows.length, 2);
});

test('what is no event is refused by itself and harms nobody beside it', async (t) => {
  const it = await world(t);
  const log = keptLog();
  await it.start({ log });
  await it.say(AcquisitionRequestedV1, newId(), requested);
  const good = it.say(AcquisitionRequestedV1, newId(), requested);
  const subject = 'impound.v1.say.gateway.default.acquisition.requested';
  for (const body of ['', '\xff', '{"a": 1}', '{}', '[1]', '"x"', `${'['.repeat(9_000)}`]) {
    const reply = await it.request(subject, body);
    assert.equal(reply.ok ? 'ok' : reply.refusal, 'invalid');
  }
  const foreign = await it.say(AcquisitionRequestedV1, newId(), requested, { as: 'uploader' });
  assert.equal(foreign.ok ? 'ok' : foreign.refusal, 'forbidden');
  assert.equal(place(await good).seq, 2);
  // Whoever hears the alarm finds here whose key it was.
  const told = log.lines.filter(({ phrase }) => phrase === 'say refused');
  assert.equal(told.length, 8);
  assert.partialDeepStrictEqual(told.at(-1)?.fields, {
    ...{ speaker: 'uploader', said: 'acquisition.requested', refusal: 'forbidden' },
    because: 'uploader does not say acquisition.requested.v1',
  });
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEARTBEAT_MS, LEASE_MS, Progress } from '@impound/contracts/progress.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { newId } from '@impound/runtime/ids.ts';
import { memoryLedger } from '../../test/memory-ledger.ts';
import {
  approved,
  BEGIN_MS,
  cancelling,
  captured,
  entriesOf,
  HOUR_MS,
  hashOf,
  ID,
  ready,
  requested,
  started,
  stored,
  unapproved,
  WORKER,
} from '../../test/story.ts';
import { coordinating, type Heard } from './coordinating.ts';

const EXEC = ready(['exec-stream', 'allowed']);
const { signal } = new AbortController();

/** Some coordinators, one ledger, and a clock that a test moves. */
function world() {
  const wakes: (number | undefined)[] = [];
  const logged: string[] = [];
  const log = (phrase: string) => void logged.push(phrase);
  const it = { nowMs: BEGIN_MS };
  const clock = () => it.nowMs;
  const ledger = memoryLedger(clock);
  const wake = (atMs: number | undefined) => void wakes.push(atMs);
  const another = () =>
    coordinating({ ledger, clock, wake, log: { info: log, warn: log, error: log } });
  return Object.assign(it, { ledger, wakes, logged, another, first: another() });
}

/** Heard of, by an entry that follows nothing: the ledger has to be asked. */
const chain = (version: number, acquisitionId = ID): Heard => {
  const [entry] = entriesOf([requested()], 'another');
  assert.ok(entry);
  return { tenant: 'default', acquisitionId, version, seq: 0, entryHash: hashOf(1), entry };
};
const beat = (epoch: number, worker = WORKER) =>
  Progress.parse({
    ...{ tenant: 'default', acquisitionId: ID, epoch, worker, at: timeOf(BEGIN_MS) },
    ...{ phase: 'reading', files: 1, bytes: 1 },
  });
const last = (types: readonly string[]) => types.at(-1);

test('everything that follows is said, until only time or others can bring more', async () => {
  const { ledger, first, wakes } = world();
  ledger.tell(ID, ...EXEC);
  await first.advance(chain(4), signal);
  assert.equal(last(ledger.typesOf(ID)), 'acquisition.assigned.v1');
  assert.equal(wakes.at(-1), BEGIN_MS + LEASE_MS, 'the executor was heard when listening began');
  ledger.tell(ID, started(1), captured(1), stored(1));
  await first.advance(chain(8), signal);
  assert.equal(last(ledger.typesOf(ID)), 'acquisition.sealed.v1');
  assert.equal(wakes.at(-1), undefined);
});

test('who hears every entry asks the ledger for none of them, nor for its own', async () => {
  const { ledger, first } = world();
  const entries = entriesOf(EXEC);
  for (const [at, entry] of entries.entries()) {
    ledger.tell(ID, ...EXEC.slice(at, at + 1));
    const heard = { ...chain(at + 1), entryHash: hashOf(at + 1), entry };
    await first.advance(heard, signal);
    assert.deepEqual([ledger.calls.history, ledger.calls.open], [0, 1]);
  }
  assert.equal(last(ledger.typesOf(ID)), 'acquisition.assigned.v1');
});

test('who heard an old entry decides on what the chain is by now', async () => {
  const { ledger, first } = world();
  const [entry] = entriesOf(EXEC);
  assert.ok(entry);
  ledger.tell(ID, ...EXEC, cancelling());
  await first.advance({ ...chain(1), entry }, signal);
  await first.advance(chain(5), signal);
  assert.equal(last(ledger.typesOf(ID)), 'acquisition.cancelled.v1');
});

test('what was settled at a version is not asked for again', async () => {
  const { ledger, first } = world();
  ledger.tell(ID, ...EXEC);
  await first.advance(chain(4), signal);
  const { history } = ledger.calls;
  await Promise.all([1, 2, 3, 4, 5].map((version) => first.advance(chain(version), signal)));
  await first.sweep(signal);
  assert.equal(ledger.calls.history, history);
});

test('a coordinator that has just started picks up what is open and overdue', async () => {
  const it = world();
  it.ledger.tell(ID, ...EXEC);
  const other = newId(BEGIN_MS);
  it.ledger.tell(other, ...EXEC, { ...approved(), afterMs: 1 });
  it.nowMs += 2 * HOUR_MS;
  await it.another().sweep(signal);
  assert.equal(last(it.ledger.typesOf(ID)), 'acquisition.expired.v1');
  assert.equal(last(it.ledger.typesOf(other)), 'acquisition.expired.v1');
});

test('a sweep goes through all pages', async () => {
  const it = world();
  const ids = Array.from({ length: 1_001 }, () => newId(BEGIN_MS));
  for (const id of ids) it.ledger.tell(id, unapproved());
  await it.first.sweep(signal);
  assert.equal(it.ledger.calls.open, 3);
  assert.equal(it.ledger.calls.history, ids.length);
});

test('two coordinators at once say each thing once', async () => {
  const it = world();
  const second = it.another();
  it.ledger.tell(ID, ...EXEC);
  await Promise.all([it.first, second].map((one) => one.advance(chain(4), signal)));
  it.ledger.tell(ID, started(1), captured(1), stored(1));
  await Promise.all([it.first.sweep(signal), second.advance(chain(8), signal)]);
  assert.deepEqual(it.ledger.typesOf(ID).slice(4), [
    'acquisition.assigned.v1',
    'execution.started.v1',
    'evidence.captured.v1',
    'evidence.stored.v1',
    'acquisition.sealed.v1',
  ]);
});

test('a storm of requests for one container becomes one acquisition', async () => {
  const it = world();
  const ids = Array.from({ length: 40 }, () => newId(BEGIN_MS));
  for (const id of ids) it.ledger.tell(id, requested());
  await Promise.all(ids.map((id) => it.first.advance(chain(1, id), signal)));
  const [oldest = '', ...young] = ids;
  assert.deepEqual(it.ledger.typesOf(oldest), ['acquisition.requested.v1']);
  for (const id of young) assert.equal(last(it.ledger.typesOf(id)), 'acquisition.joined.v1');
});

test('a heartbeat of the holder moves the lease, and costs the ledger nothing', async () => {
  const it = world();
  it.ledger.tell(ID, ...EXEC);
  await it.first.advance(chain(4), signal);
  it.ledger.tell(ID, started(1));
  await it.first.advance(chain(6), signal);
  const { history } = it.ledger.calls;
  it.nowMs += LEASE_MS - HEARTBEAT_MS;
  it.first.heard(beat(1));
  it.nowMs += HEARTBEAT_MS;
  await it.first.ring(signal);
  assert.equal(it.ledger.calls.history, history);
  assert.equal(it.wakes.at(-1), it.nowMs - HEARTBEAT_MS + LEASE_MS);
});

for (const [whose, progress] of [
  ['of an epoch that is over', beat(2)],
  ['of a worker that holds nothing', beat(1, 'k8s-2')],
] as const) {
  test(`a heartbeat ${whose} does not keep a lease`, async () => {
    const it = world();
    it.ledger.tell(ID, ...EXEC);
    await it.first.advance(chain(4), signal);
    it.ledger.tell(ID, started(1));
    await it.first.sweep(signal);
    for (let passed = 0; passed < LEASE_MS; passed += 10_000) {
      it.nowMs += 10_000;
      await it.first.sweep(signal);
      it.first.heard(progress);
    }
    await it.first.ring(signal);
    assert.ok(it.ledger.typesOf(ID).includes('execution.lapsed.v1'));
  });
}

test('after a time in which the ledger was away, every worker gets its lease again', async () => {
  const it = world();
  it.ledger.tell(ID, ...EXEC);
  await it.first.advance(chain(4), signal);
  it.ledger.tell(ID, started(1));
  await it.first.sweep(signal);
  it.ledger.away = true;
  it.nowMs += 2 * LEASE_MS;
  await assert.rejects(it.first.sweep(signal), /nobody answered/);
  await it.first.ring(signal);
  assert.equal(it.logged.at(-1), 'chains not advanced');
  it.ledger.away = false;
  it.nowMs += 5_000;
  await it.first.ring(signal);
  assert.equal(last(it.ledger.typesOf(ID)), 'execution.started.v1');
  assert.equal(it.wakes.at(-1), it.nowMs + LEASE_MS);
});

test('a chain that could not be read is tried again at its moment', async () => {
  const it = world();
  it.ledger.tell(ID, ...EXEC);
  it.ledger.away = true;
  await assert.rejects(it.first.advance(chain(4), signal), /nobody answered/);
  it.ledger.away = false;
  it.nowMs = it.wakes.at(-1) ?? 0;
  await it.first.ring(signal);
  assert.equal(last(it.ledger.typesOf(ID)), 'acquisition.assigned.v1');
});

test('a decision that the ledger refuses is logged and tried again after a while', async () => {
  const it = world();
  it.ledger.tell(ID, ...EXEC);
  it.ledger.refusal = 'invalid: another version';
  await it.first.advance(chain(4), signal);
  await it.first.sweep(signal);
  assert.deepEqual(it.logged, ['decision refused']);
  assert.equal(it.wakes.at(-1), BEGIN_MS + 60_000);
});

test('a chain that ended without being heard is forgotten by the next sweep', async () => {
  const it = world();
  it.ledger.tell(ID, unapproved());
  await it.first.advance(chain(1), signal);
  it.ledger.tell(ID, { ...approved(), contract: { ...approved().contract, type: REFUSED } });
  await it.first.sweep(signal);
  await it.first.ring(signal);
  assert.equal(it.wakes.at(-1), undefined);
});

const REFUSED = 'acquisition.refused.v1';

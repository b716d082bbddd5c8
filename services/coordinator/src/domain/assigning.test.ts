// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import type { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import type { Method, Verdict } from '@impound/contracts/methods.ts';
import { timeOf } from '@impound/contracts/time.ts';
import {
  assigned,
  at,
  BEGIN_MS,
  captured,
  checked,
  dataOf,
  type Fact,
  fact,
  failed,
  HOUR_MS,
  kept,
  lapsed,
  ready,
  rejected,
  requested,
  resolved,
  started,
  told,
} from '../../test/story.ts';
import { assigning, awaiting } from './assigning.ts';
import { EPOCHS_MAX, HAND_IN_MS_MAX, RETRY_DELAY_MS, UNTOUCHED_ATTEMPTS_MAX } from './limits.ts';

const EXEC = ready(['exec-stream', 'allowed']);
const TRANSIENT = { permanent: false, code: 'api-busy', because: 'the API server is busy' };
const after = (facts: readonly Fact[], afterMs = HOUR_MS / 2) =>
  assigning(told(...facts), at(afterMs));
const failure = (facts: readonly Fact[]) => {
  return dataOf(after(facts), 'acquisition.failed.v1') as unknown as AcquisitionFailedV1;
};
const assignment = (facts: readonly Fact[], afterMs?: number) =>
  dataOf(after(facts, afterMs), 'acquisition.assigned.v1');

test('an assignment carries what the executor needs and an earlier deadline to hand in by', () => {
  assert.deepEqual(assignment(EXEC), {
    caseId: 'IR-2026-017',
    deadline: timeOf(BEGIN_MS + HOUR_MS - HAND_IN_MS_MAX),
    executor: 'kubernetes',
    method: 'exec-stream',
    epoch: 1,
    target: told(...EXEC).target?.target,
    containerId: 'containerd://4f1d2a',
    profile: 'triage',
    paths: ['/srv/www'],
    budget: { bytesMax: 10_737_418_240, secondsMax: 3_600 },
  });
});

test('a short acquisition keeps most of its time for the executor', () => {
  const short = requested({ deadline: timeOf(BEGIN_MS + 10_000) });
  const data = assignment([short, resolved(), checked(['exec-stream', 'allowed'])], 0);
  assert.equal(data['deadline'], timeOf(BEGIN_MS + 9_000));
});

test('nothing is assigned when there is no time left to hand in', () => {
  assert.deepEqual(after(EXEC, HOUR_MS - 1), { wakeAtMs: BEGIN_MS + HOUR_MS });
});

test('approval, target and ladder have to be there', () => {
  assert.ok(awaiting(told(requested(), resolved())));
  assert.ok(awaiting(told(requested(), checked())));
  assert.equal(awaiting(told(...EXEC)), undefined);
});

const TRIES: readonly (readonly [string, Fact, Method | number])[] = [
  ['a permanent failure', failed(1), 'ephemeral-container'],
  ['a transient failure', failed(1, TRANSIENT, 5_000), 5_000 + RETRY_DELAY_MS],
  ['a lapse', lapsed(1, 9_000), 0],
];
for (const [what, last, then] of TRIES) {
  test(`${what} leads to ${typeof then === 'string' ? 'the next rung' : 'a second try'}`, () => {
    const rungs = ready(['exec-stream', 'allowed'], ['ephemeral-container', 'unknown']);
    const facts = [...rungs, assigned(1), started(1), last];
    const dueMs = typeof then === 'number' ? then : 0;
    const data = assignment(facts, Math.max(dueMs, 1_000));
    assert.equal(data['method'], typeof then === 'string' ? then : 'exec-stream');
    assert.equal(data['epoch'], 2);
    if (dueMs > 0) assert.deepEqual(after(facts, dueMs - 1), { wakeAtMs: BEGIN_MS + dueMs });
  });
}

test('an executor that was stopped, as in a rolling deployment, uses up no chance', () => {
  const stopped = { ...TRANSIENT, code: 'stopping' };
  const once = [...EXEC, assigned(1), started(1), failed(1, stopped)];
  const twice = [...once, assigned(2), started(2), failed(2, stopped)];
  assert.equal(assignment(twice, HOUR_MS / 2)['method'], 'exec-stream');
  const tried = [...twice, assigned(3), started(3), failed(3, TRANSIENT)];
  assert.equal(assignment(tried, HOUR_MS / 2)['epoch'], 4);
});

test('where nothing was touched a rung gets further tries, after every other rung had its own', () => {
  const { footprint } = ExecutionFailedV1.example;
  const away = (touched: boolean) => ({ ...TRANSIENT, footprint: { ...footprint, touched } });
  const tries = (method: Method, first: number, touched: readonly boolean[]) =>
    touched.flatMap((one, at) => [assigned(first + at, method), failed(first + at, away(one))]);
  const both = ready(['exec-stream', 'allowed'], ['ephemeral-container', 'allowed']);
  const once = [...both, ...tries('exec-stream', 1, [false, false])];
  assert.equal(assignment(once)['method'], 'ephemeral-container');
  const twice = [...once, ...tries('ephemeral-container', 3, [true, true])];
  assert.equal(assignment(twice)['method'], 'exec-stream');
  const often = [...twice, ...tries('exec-stream', 5, [false, true])];
  assert.equal(assignment(often)['epoch'], 7);
  assert.equal(failure([...often, ...tries('exec-stream', 7, [true])]).code, 'ladder-exhausted');
  const all = Array.from({ length: UNTOUCHED_ATTEMPTS_MAX }, () => false);
  assert.equal(failure([...EXEC, ...tries('exec-stream', 1, all)]).code, 'ladder-exhausted');
});

test('a rejected capture is a transient failure of its rung', () => {
  const once = [...EXEC, assigned(1), started(1), captured(1), rejected(1)];
  assert.equal(assignment(once)['epoch'], 2);
  const twice = [...once, assigned(2), started(2), captured(2), rejected(2)];
  const { code, because } = failure(twice);
  assert.equal(code, 'ladder-exhausted');
  assert.match(because, /reads back with another SHA-256/);
});

test('no rung that may be tried is no way in, with a sentence for each', () => {
  const { ladder } = AccessCheckedV1.shape.parse(AccessCheckedV1.example);
  const access = fact(AccessCheckedV1, { ladder, grant: 'kind: Role' });
  const { code, because, next } = failure([requested(), resolved(), kept(), access]);
  assert.equal(code, 'no-way-in');
  assert.equal(because, 'exec-stream: create pods/exec is not granted in namespace shop');
  assert.match(next, /apply the RBAC manifest/);
});

test('only what leaves the pod as it is begins before the context is in the store', () => {
  const began = (rung: readonly [Method, Verdict]) =>
    assigning(told(requested(), resolved(), checked(rung)), at(0));
  assert.equal(began(['exec-stream', 'allowed']).say?.contract.type, 'acquisition.assigned.v1');
  const waits = { wakeAtMs: BEGIN_MS + HOUR_MS };
  assert.deepEqual(began(['ephemeral-container', 'allowed']), waits);
  assert.deepEqual(began(['exec-stream', 'denied']), waits);
});

test('an empty ladder is no way in', () => {
  assert.equal(failure(ready()).code, 'no-way-in');
});

const unclaimed = (count: number, method: Method = 'exec-stream') =>
  Array.from({ length: count }, (_, at) => [assigned(at + 1, method), lapsed(at + 1)]).flat();

test('an executor that was away uses up no chance, and no other method of its own comes earlier', () => {
  const rungs = ready(['exec-stream', 'allowed'], ['ephemeral-container', 'allowed']);
  const facts = [...rungs, ...unclaimed(5)];
  assert.equal(assignment(facts)['method'], 'exec-stream');
  const back = [...facts, assigned(6), started(6), failed(6, TRANSIENT, 60_000)];
  const dueMs = 60_000 + RETRY_DELAY_MS;
  assert.deepEqual(after(back, dueMs - 1), { wakeAtMs: BEGIN_MS + dueMs });
  assert.equal(assignment(back, dueMs)['method'], 'exec-stream');
});

test('an executor that claims comes before one that is away, which is asked again after it', () => {
  const { ladder } = AccessCheckedV1.shape.parse(AccessCheckedV1.example);
  const [rung] = ladder.map((one) => ({ ...one, verdict: 'allowed' as const }));
  assert.ok(rung);
  const other = { ...rung, method: 'node-volume' as const, executor: 'eks' };
  const access = fact(AccessCheckedV1, { ladder: [rung, other] });
  const both = [requested(), resolved(), kept(), access, ...unclaimed(1, rung.method)];
  assert.equal(assignment(both)['executor'], 'eks');
  const second = fact(AcquisitionAssignedV1, { epoch: 2, method: 'node-volume', executor: 'eks' });
  assert.equal(assignment([...both, second, failed(2)])['executor'], 'kubernetes');
  assert.equal(assignment([...both, second, lapsed(2)])['executor'], 'kubernetes');
});

test('assignments that nobody ever claimed end with the name of the executor', () => {
  const { code, because, next } = failure([...EXEC, ...unclaimed(EPOCHS_MAX)]);
  assert.equal(code, 'no-executor');
  assert.match(because, /executor kubernetes did not answer/);
  assert.match(next, /^start kubernetes/);
});

test('an exhausted ladder tells the last reason of each rung and keeps what was salvaged', () => {
  const object = { name: 'part', key: 'default/a/e1/part', bytes: 1, sha256: 'c'.repeat(64) };
  const { because, salvaged } = failure([
    ...ready(['exec-stream', 'allowed'], ['ephemeral-container', 'allowed']),
    ...[assigned(1), failed(1, { ...TRANSIENT, salvaged: [object] })],
    ...[assigned(2), failed(2, { salvaged: [object] })],
    ...[assigned(3, 'ephemeral-container'), failed(3, { because: 'the node is full' })],
  ]);
  const first = 'exec-stream by kubernetes: the container has no sh: a distroless image';
  assert.equal(because, `${first}; ephemeral-container by kubernetes: the node is full`);
  assert.deepEqual(salvaged, [object]);
});

test(`no acquisition has more than ${EPOCHS_MAX} epochs`, () => {
  const tries = Array.from({ length: EPOCHS_MAX }, (_, at) => [
    assigned(at + 1, 'checkpoint'),
    failed(at + 1),
  ]);
  assert.equal(failure([...EXEC, ...tries.flat()]).code, 'ladder-exhausted');
});

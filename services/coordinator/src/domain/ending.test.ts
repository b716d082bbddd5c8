// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { timeOf } from '@impound/contracts/time.ts';
import {
  assigned,
  at,
  BEGIN_MS,
  cancelling,
  captured,
  checked,
  dataOf,
  type Fact,
  fact,
  failed,
  HOUR_MS,
  missing as isMissing,
  kept,
  ready,
  rejected,
  requested,
  resolved,
  started,
  stored,
  told,
  unapproved,
} from '../../test/story.ts';
import { decide } from './decide.ts';
import { cancelled, expired, missing, sealed } from './ending.ts';
import { CANCEL_GRACE_MS, RIGHTS_MS, STORE_GRACE_MS } from './limits.ts';

const EXEC = ['exec-stream', 'allowed'] as const;
const RUNNING = [...ready(EXEC), assigned(1), started(1)];
const MANIFEST = EvidenceCapturedV1.example.objects[0];
const STORED = EvidenceStoredV1.example.objects[0];
assert.ok(MANIFEST && STORED);

test('a seal names manifest, objects, coverage and how long the chain was', () => {
  const context = { ...STORED, name: 'context.json', key: 'default/a/context/context.json' };
  const found = [requested(), resolved(), kept({ objects: [context] }), checked(EXEC)];
  const state = told(...found, assigned(1), started(1), captured(1), stored(1));
  const { say } = sealed(state, at(0)) ?? {};
  assert.deepEqual(say?.data, {
    epoch: 1,
    manifest: MANIFEST.sha256,
    objects: [MANIFEST, { ...MANIFEST, name: context.name, key: context.key }],
    coverage: EvidenceCapturedV1.example.coverage,
    partial: false,
    entries: 8,
    lastEntry: 'd'.repeat(64),
  });
});

test('a seal waits for the context, and no longer than the uploader may take', () => {
  const found = [requested(), resolved(), checked(EXEC)];
  const state = told(...found, assigned(1), started(1), captured(1), stored(1), cancelling());
  const latestMs = HOUR_MS + STORE_GRACE_MS;
  assert.deepEqual(decide(state, at(HOUR_MS)), { wakeAtMs: BEGIN_MS + latestMs });
  dataOf(decide(state, at(latestMs)), 'acquisition.sealed.v1');
});

test('stored evidence with another digest than the captured one is not sealed', () => {
  const other = { ...STORED, sha256: 'f'.repeat(64) };
  const state = told(...RUNNING, captured(1), stored(1, { objects: [other] }));
  assert.equal(sealed(state, at(0)), undefined);
});

test('evidence that was stored and never captured is not sealed', () => {
  assert.equal(sealed(told(...RUNNING, stored(1)), at(0)), undefined);
});

test('an earlier epoch that turned out to be whole is sealed once nothing is in flight', () => {
  const late = [...RUNNING, captured(1), rejected(1), assigned(2), started(2), stored(1)];
  assert.equal(sealed(told(...late), at(0)), undefined);
  const whole = sealed(told(...late, failed(2)), at(0));
  assert.equal(dataOf(whole, 'acquisition.sealed.v1')['epoch'], 1);
});

test('a worker has a grace to end by itself after a cancellation, then its epoch ends', () => {
  const state = told(...RUNNING, cancelling(1_000));
  const endMs = 1_000 + CANCEL_GRACE_MS;
  assert.deepEqual(cancelled(state, at(endMs - 1)), { wakeAtMs: BEGIN_MS + endMs });
  assert.equal(cancelled(state, at(endMs))?.say?.contract.type, 'execution.lapsed.v1');
});

test('an assignment that nobody has claimed does not hold up a cancellation', () => {
  const state = told(...RUNNING.slice(0, -1), cancelling());
  const { say } = cancelled(state, at(0)) ?? {};
  assert.deepEqual(say?.data, { because: 'cancelled by lead: wrong pod' });
});

for (const code of TargetMissingV1.shape.shape.code.options) {
  test(`target missing with ${code} fails with advice for a person`, () => {
    const failure = missing(told(requested(), isMissing({ code })), at(0));
    const data = dataOf(failure, 'acquisition.failed.v1');
    assert.equal(data['code'], code);
    assert.ok(String(data['next']).length > 20);
  });
}

const { target } = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
const WITHHELD = [
  requested(),
  isMissing({ code: 'forbidden', because: 'it is forbidden', withheld: { target } }),
];
const failure = (facts: readonly Fact[], afterMs = 0) =>
  dataOf(decide(told(...facts), at(afterMs)), 'acquisition.failed.v1');

test('a pod that is withheld waits for what else is missing: one sentence has all rights', () => {
  assert.deepEqual(decide(told(...WITHHELD), at(0)), { wakeAtMs: BEGIN_MS + RIGHTS_MS });
  const { ladder } = AccessCheckedV1.shape.parse(AccessCheckedV1.example);
  const data = failure([...WITHHELD, fact(AccessCheckedV1, { ladder, grant: 'kind: Role' })]);
  const discovery = 'discovery: get pods is not granted in namespace shop';
  const exec = 'exec-stream: create pods/exec is not granted in namespace shop';
  assert.equal(data['because'], `${discovery}; ${exec}`);
  assert.match(String(data['next']), /apply the RBAC manifest/);
});

test('where nobody says what else is missing, discovery is told of in the words of the cluster', () => {
  const unknown = failure([...WITHHELD, checked(['exec-stream', 'unknown'])]);
  for (const data of [failure(WITHHELD, RIGHTS_MS), unknown]) {
    assert.equal(data['because'], 'it is forbidden');
    assert.match(String(data['next']), /^give discovery get and list on pods/);
  }
});

const WAITS: readonly (readonly [string, readonly Fact[]])[] = [
  ['nobody had approved the request; discovery had not answered', [unapproved()]],
  ['rbac-checker had not answered', [requested(), resolved()]],
  ['the context was not stored', [requested(), resolved(), checked()]],
  ['nothing had been assigned', ready(['exec-stream', 'allowed'])],
  ['no attempt had succeeded', [...RUNNING, failed(1)]],
];
for (const [because, facts] of WAITS) {
  test(`a deadline that passes says: ${because}`, () => {
    const data = dataOf(expired(told(...facts), at(HOUR_MS)), 'acquisition.expired.v1');
    assert.match(String(data['because']), new RegExp(because));
  });
}

test('a deadline that passes ends the live epoch first', () => {
  assert.equal(expired(told(...RUNNING), at(HOUR_MS - 1)), undefined);
  for (const facts of [RUNNING, RUNNING.slice(0, -1)]) {
    const { say } = expired(told(...facts), at(HOUR_MS)) ?? {};
    assert.equal(say?.contract.type, 'execution.lapsed.v1');
  }
});

test('the uploader has a grace beyond the deadline', () => {
  const state = told(...RUNNING, captured(1));
  const endMs = HOUR_MS + STORE_GRACE_MS;
  assert.deepEqual(expired(state, at(HOUR_MS)), { wakeAtMs: BEGIN_MS + endMs });
  const data = dataOf(expired(state, at(endMs)), 'acquisition.expired.v1');
  assert.match(String(data['because']), /uploader/);
});

test('a deadline that is no date has passed', () => {
  const state = told(requested({ deadline: timeOf(BEGIN_MS).replace('-11-', '-99-') }));
  assert.equal(expired(state, at(0))?.say?.contract.type, 'acquisition.expired.v1');
});

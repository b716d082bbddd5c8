// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consumerPlans } from '@impound/contracts/streams.ts';
import type { BusFacts, ConsumerFacts } from '@impound/runtime/bus-look.ts';
import { busFindings, configFinding } from './bus.ts';

const CONSUMERS: readonly ConsumerFacts[] = consumerPlans().map(({ durable }) => ({
  ...{ durable, pending: 0, unanswered: 0, again: 0, waiting: 1 },
}));
const STREAM = {
  ...{ replicas: 1, clustered: false, messages: 3, bytes: 900, bytesMax: 100_000 },
  lastAt: '2026-11-28T04:00:00Z',
  consumers: CONSUMERS,
};
const SERVER = { syncsAlways: true, syncIntervalMs: 0, clock: { offsetMs: 1, withinMs: 1 } };
const WELL: BusFacts = {
  version: '2.15.0',
  open: false,
  encrypted: true,
  wide: false,
  server: SERVER,
  stream: STREAM,
};

test('a bus that is well gives nothing but ok', () => {
  const findings = busFindings(WELL, false);
  assert.deepEqual(
    findings.filter(({ verdict }) => verdict !== 'ok'),
    [],
  );
  assert.ok(findings.length >= 7);
});

function consumer(change: Partial<ConsumerFacts>): BusFacts {
  const [first, ...others] = CONSUMERS;
  assert.ok(first);
  return { ...WELL, stream: { ...STREAM, consumers: [{ ...first, ...change }, ...others] } };
}

const SICK: readonly (readonly [string, BusFacts, string, string, RegExp])[] = [
  ['lets in whoever comes', { ...WELL, open: true }, 'nats-identities', 'sick', /whoever comes/],
  ['lets who looks hear more', { ...WELL, wide: true }, 'nats-rights', 'sick', /may listen/],
  ['is old', { ...WELL, version: '2.12.1' }, 'nats-version', 'advice', /holes/],
  [
    'speaks in the clear over a network',
    { ...WELL, encrypted: false },
    'nats-encryption',
    'advice',
    /plain TCP/,
  ],
  [
    'acknowledges before it writes',
    { ...WELL, server: { ...SERVER, syncsAlways: undefined, syncIntervalMs: 120_000 } },
    'nats-durability',
    'advice',
    /every 120000 ms/,
  ],
  [
    'has another time',
    { ...WELL, server: { ...SERVER, clock: { offsetMs: 99_000, withinMs: 1 } } },
    'clock',
    'sick',
    /99\.0 s ahead/,
  ],
  [
    'does not tell of itself',
    { ...WELL, server: { unseen: 'no responders' } },
    'nats-durability',
    'unknown',
    /no responders/,
  ],
  ['shows no stream', { ...WELL, stream: { unseen: 'gone' } }, 'nats-stream', 'unknown', /gone/],
  [
    'keeps one copy in a cluster',
    { ...WELL, stream: { ...STREAM, clustered: true } },
    'nats-replicas',
    'advice',
    /1 replicas in a cluster/,
  ],
  ['is full', { ...WELL, stream: { ...STREAM, bytes: 99_000 } }, 'nats-stream', 'advice', /99 %/],
  [
    'lacks a consumer',
    { ...WELL, stream: { ...STREAM, consumers: CONSUMERS.slice(1) } },
    'consumers',
    'sick',
    /is not there/,
  ],
  ['is heard by nobody', consumer({ waiting: 0 }), 'consumers', 'sick', /does not hear/],
  ['is behind', consumer({ pending: 5_000 }), 'consumers', 'advice', /5000 events to hear/],
  ['tells again and again', consumer({ again: 3 }), 'consumers', 'advice', /3 more than once/],
];
for (const [what, facts, check, verdict, words] of SICK) {
  test(`a bus that ${what} is told of under ${check}`, () => {
    const found = busFindings(facts, false).filter((one) => one.verdict !== 'ok');
    assert.equal(found.length, 1, JSON.stringify(found));
    assert.equal(found[0]?.check, check);
    assert.equal(found[0].verdict, verdict);
    assert.match(found[0].what, words);
    assert.ok(found[0].next);
  });
}

test('a configuration of another version is told of by the names of its files', () => {
  const made = new Map([['permissions.conf', 'a']]);
  assert.equal(configFinding(new Map(made), made).verdict, 'ok');
  const other = configFinding(new Map([['permissions.conf', 'b']]), made);
  assert.equal(other.verdict, 'sick');
  assert.match(other.what, /permissions\.conf/);
});

test('plain TCP within one machine is well', () => {
  const found = busFindings({ ...WELL, encrypted: false }, true);
  assert.ok(found.every(({ verdict }) => verdict === 'ok'));
});

test('a service that has work in hand is not called deaf, and a busy executor only asked about', () => {
  const working = busFindings(consumer({ waiting: 0, unanswered: 1 }), false);
  assert.ok(working.every(({ verdict }) => verdict === 'ok'));
  const durable = 'executor-kubernetes_acquisition_assigned_v1';
  const busy = CONSUMERS.map((one) => (one.durable === durable ? { ...one, waiting: 0 } : one));
  const found = busFindings({ ...WELL, stream: { ...STREAM, consumers: busy } }, false);
  const told = found.filter(({ verdict }) => verdict !== 'ok');
  assert.deepEqual(
    told.map(({ verdict }) => verdict),
    ['advice'],
  );
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionExpiredV1 } from '@impound/contracts/acquisition/expired.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { CancellationRequestedV1 } from '@impound/contracts/cancellation/requested.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import { fold, liveExecution } from '@impound/contracts/chain.ts';
import { Entry } from '@impound/contracts/entry.ts';
import { type EventContract, nounVerb } from '@impound/contracts/event.ts';
import { EvidenceAccessedV1 } from '@impound/contracts/evidence/accessed.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionLapsedV1 } from '@impound/contracts/execution/lapsed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { PARTIES } from '@impound/contracts/parties.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { childId } from '@impound/runtime/ids.ts';
import fc from 'fast-check';
import type { First, Tools } from './batch.ts';
import { decide } from './decide.ts';
import type { ChainHead } from './head.ts';
import { isSay, readSay, type Say } from './say.ts';

const ACQ = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const OTHER = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d02';
const TOOLS: Tools = {
  sha256: (text) => hash('sha256', text, 'hex'),
  leafHash: (text) => hash('sha256', `\x00${text}`, 'hex'),
  childId,
  salt: () => 'AAAAAAAAAAAAAAAAAAAAAA==',
  now: () => '2026-11-23T09:15:00.000000Z',
  source: '/impound/ledger/ledger-1',
};

let ids = 0;

/** One say as it comes through the door, of the contract's specimen and what is changed in it. */
function say(contract: EventContract, data: object = {}, envelope: object = {}, at?: number): Say {
  const [noun, verb] = nounVerb(contract.type);
  const [service = ''] =
    Object.entries(PARTIES).find(([, party]) => party.says.includes(contract.type)) ?? [];
  ids += 1;
  const event = {
    specversion: '1.0',
    id: `0199f5a2-7c3e-7a10-8f52-${ids.toString(16).padStart(12, '0')}`,
    source: `/impound/${service}/w-1`,
    type: contract.type,
    subject: ACQ,
    time: '2026-11-23T09:14:59.000000Z',
    datacontenttype: 'application/json',
    tenant: 'default',
    data: { ...(contract.example as object), ...data },
    ...envelope,
  };
  const bytes = new TextEncoder().encode(canonical(event));
  const read = readSay({ service, tenant: event.tenant, noun, verb, bytes, expectedVersion: at });
  assert.ok(isSay(read), JSON.stringify(read));
  return read;
}

/** Decides says against an empty log in which everything was looked up. */
function rule(...says: Say[]) {
  const firsts = new Map<string, First | null>(says.map((one) => [one.event.id, null]));
  const heads = new Map<string, ChainHead | null>([ACQ, OTHER].map((acq) => [acq, null]));
  for (;;) {
    const decided = decide(says, { firsts, heads }, { size: 0, tools: TOOLS });
    if (decided.unknown.ids.size === 0) return decided;
    for (const id of decided.unknown.ids) firsts.set(id, null);
  }
}

const outcomes = (...says: Say[]) =>
  rule(...says).replies.map((reply) => (reply.ok ? reply.version : reply.refusal));

const begun = () => say(AcquisitionRequestedV1);
const assign = (epoch: number) => say(AcquisitionAssignedV1, { epoch });
const claim = (epoch: number, worker = 'w-1') => say(ExecutionStartedV1, { epoch, worker });
const fail = (epoch: number, worker = 'w-1') => say(ExecutionFailedV1, { epoch, worker });

const CASES: readonly (readonly [string, () => Say[], readonly (number | string)[]])[] = [
  ['a chain begins once', () => [begun(), begun()], [1, 'conflict']],
  ['nothing is said in a chain that has not begun', () => [say(TargetMissingV1)], ['conflict']],
  [
    'a say sees what says before it in the batch have moved',
    () => [begun(), say(TargetMissingV1, {}, {}, 1), say(TargetMissingV1, {}, {}, 1)],
    [1, 2, 'conflict'],
  ],
  [
    'a chain belongs to one tenant',
    () => [begun(), say(TargetMissingV1, {}, { tenant: 'other' })],
    [1, 'forbidden'],
  ],
  ['epochs grow by one', () => [begun(), assign(2), assign(1)], [1, 'conflict', 2]],
  ['one epoch is live at a time', () => [begun(), assign(1), assign(2)], [1, 2, 'conflict']],
  [
    'an epoch is claimed once',
    () => [begun(), assign(1), claim(1, 'a'), claim(1, 'b')],
    [1, 2, 3, 'fenced'],
  ],
  ['only a live epoch is claimed', () => [begun(), claim(1)], [1, 'fenced']],
  [
    'only the holder says the result',
    () => [begun(), assign(1), claim(1, 'a'), fail(1, 'b'), fail(1, 'a')],
    [1, 2, 3, 'fenced', 5],
  ],
  ['a result without a claim is fenced', () => [begun(), assign(1), fail(1)], [1, 2, 'fenced']],
  [
    'a lapsed epoch is over and the next one begins',
    () => [begun(), assign(1), claim(1), say(ExecutionLapsedV1, { epoch: 1 }), fail(1), assign(2)],
    [1, 2, 3, 4, 'fenced', 6],
  ],
  [
    'an ended chain takes facts, and no ending, assignment or claim',
    () => [
      ...[begun(), assign(1), say(AcquisitionExpiredV1), say(AcquisitionExpiredV1)],
      ...[assign(2), say(EvidenceStoredV1), say(EvidenceAccessedV1), claim(1)],
    ],
    [1, 2, 3, 'conflict', 'conflict', 4, 5, 'fenced'],
  ],
];

for (const [what, says, expected] of CASES) {
  test(what, () => assert.deepEqual(outcomes(...says()), expected));
}

test('a repeat in the same batch gets the first answer, whatever version it expects', () => {
  const first = begun();
  const later = { ...say(AcquisitionRequestedV1, {}, { time: '2026-11-23T09:20:00.000000Z' }, 7) };
  const repeat = { ...later, event: { ...later.event, id: first.event.id } };
  const { replies, drafts } = rule(first, repeat);
  assert.deepEqual(replies[1], { ...replies[0], repeated: true });
  assert.equal(drafts.length, 1);
});

test('each distinct repeat that differs is noticed once, in the chain of the first', () => {
  const first = begun();
  const { id } = first.event;
  const other = () => say(AcquisitionRequestedV1, { reason: 'other' }, { id, subject: OTHER });
  const { replies, drafts } = rule(first, other(), other());
  assert.deepEqual(
    replies.map((reply) => reply.ok && [reply.repeated, reply.differs]),
    [
      [false, false],
      [true, true],
      [true, true],
    ],
  );
  assert.deepEqual(
    drafts.map(({ event }) => [event.type, event.subject]),
    [
      ['acquisition.requested.v1', ACQ],
      ['conflict.noticed.v1', ACQ],
    ],
  );
});

test('what was fenced is kept once, with its data where that is small', () => {
  const refused = claim(1, 'b');
  const { drafts } = rule(begun(), refused, refused);
  const fenced = drafts.filter(({ event }) => event.type === 'execution.fenced.v1');
  assert.equal(fenced.length, 1);
  assert.deepEqual(fenced[0]?.event.data['refusedData'], refused.event.data);
  const large = say(ExecutionFailedV1, { extra: 'x'.repeat(17_000) });
  const [, kept] = rule(begun(), large).drafts;
  assert.equal(kept?.event.data['refusedData'], undefined);
  assert.equal(kept?.event.data['refusedSha256'], TOOLS.sha256(large.text));
});

test('the live epoch of a head is the one that the fold of the chain finds', () => {
  const step = fc.record({
    contract: fc.constantFrom<EventContract>(
      ...[AcquisitionAssignedV1, ExecutionStartedV1, ExecutionFailedV1, ExecutionLapsedV1],
      ...[EvidenceCapturedV1, EvidenceStoredV1, CancellationRequestedV1, AcquisitionExpiredV1],
    ),
    epoch: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 24 }), (steps) => {
      const says = steps.map(({ contract, epoch }) => say(contract, { epoch, worker: 'w-1' }));
      const { drafts, heads } = rule(begun(), ...says);
      const state = fold(drafts.map(({ entry }) => Entry.parse(JSON.parse(entry))));
      const head = heads.get(ACQ);
      const live = liveExecution(state);
      assert.equal(head?.live ? head.epoch : undefined, live?.assigned.epoch);
      assert.equal(head?.live ? head.claimedBy : undefined, live?.started?.worker);
      assert.deepEqual([head?.version, head?.ended], [state.version, state.ended?.type]);
      assert.equal(head?.cancelled, state.cancellation !== undefined);
    }),
    { numRuns: 60 },
  );
});

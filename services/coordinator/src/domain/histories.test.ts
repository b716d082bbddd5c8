// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acquisition, liveExecution } from '@impound/contracts/chain.ts';
import fc from 'fast-check';
import type { ModelReply, ModelSay } from '../../test/model-ledger.ts';
import { type ModelWorld, modelWorld, type Witness } from '../../test/model-world.ts';
import { BEGIN_MS, HOUR_MS } from '../../test/story.ts';
import { EPOCHS_MAX, STORE_GRACE_MS } from './limits.ts';
import { phaseOf } from './phase.ts';

const HISTORIES = 2_000;
/** Two bytes for each thing that happens. */
const BYTES = fc.uint8Array({ minLength: 2, maxLength: 200, size: 'max' });
/** Each epoch is assigned, waited for, ended and waited after; the rest is the end itself. */
const STEPS_MAX = 4 * EPOCHS_MAX + 12;

/** What must hold for each thing that a coordinator says, given the chain before it. */
const LAWS: Readonly<Record<string, (before: Acquisition, data: never) => void>> = {
  'acquisition.assigned.v1': (before, data: { epoch: number; method: string }) => {
    assert.equal(before.ended, undefined, 'nothing is assigned after the end');
    assert.equal(liveExecution(before), undefined, 'never two live epochs');
    assert.equal(data.epoch, before.executions.length + 1, 'epochs increase by one');
    assert.ok(data.epoch <= EPOCHS_MAX);
    assert.ok(before.approved && before.target && before.cancellation === undefined);
    const rungs = before.access?.ladder.filter(({ method }) => method === data.method) ?? [];
    assert.ok(rungs.length > 0 && rungs.every(({ verdict }) => verdict !== 'denied'));
    const wanted: readonly string[] = before.request?.methods ?? [data.method];
    assert.ok(wanted.includes(data.method), 'only what the request allows');
  },
  'execution.lapsed.v1': (before, data: { epoch: number }) => {
    assert.equal(liveExecution(before)?.assigned.epoch, data.epoch, 'only a live epoch lapses');
  },
  'acquisition.sealed.v1': (before, data: { epoch: number; entries: number }) => {
    const sealed = before.executions.find(({ assigned }) => assigned.epoch === data.epoch);
    assert.ok(sealed && phaseOf(sealed) === 'whole', 'sealed only after everything was stored');
    assert.equal(data.entries, before.version);
  },
  'acquisition.joined.v1': (before) => assert.equal(before.executions.length, 0),
  'acquisition.failed.v1': (before, { code }: { code: string }) => {
    if (code === 'no-executor') assert.equal(before.executions.length, EPOCHS_MAX, 'who is away');
  },
  'acquisition.cancelled.v1': (before) => assert.ok(before.cancellation),
};

/** Coordinators are held to the laws, and their words fit the contract and the order of events. */
function witness(endings: Map<string, number>): Witness {
  return {
    recorded: (before: Acquisition, { contract, data, expectedVersion }: ModelSay) => {
      if (contract.ends) endings.set(contract.type, (endings.get(contract.type) ?? 0) + 1);
      if (expectedVersion === undefined) return;
      assert.equal(before.ended, undefined, `${contract.type} after the end`);
      LAWS[contract.type]?.(before, data as never);
      const checked = contract.shape.safeParse(data);
      assert.ok(checked.success, checked.error?.message);
    },
    answered: ({ contract, expectedVersion }: ModelSay, reply: ModelReply) => {
      const orderly = expectedVersion === undefined || reply !== 'out-of-order';
      assert.ok(orderly, `${contract.type} was decided out of order`);
    },
  };
}

/** Nobody speaks any more: only time passes, from one moment to wake at to the next. */
function runOut(world: ModelWorld): void {
  for (let step = 0; step < STEPS_MAX; step++) {
    const { say, wakeAtMs } = world.coordinate(0);
    if (say !== undefined) continue;
    if (wakeAtMs === undefined) return;
    assert.ok(wakeAtMs > world.nowMs(), 'a moment to wake at is in the future');
    world.pass(wakeAtMs - world.nowMs());
  }
}

test(`${HISTORIES} histories, whoever speaks when: each ends and breaks no law`, (t) => {
  const endings = new Map<string, number>();
  let said = 0;
  const beganMs = performance.now();
  fc.assert(
    fc.property(fc.nat(255), BYTES, (seed, bytes) => {
      const world = modelWorld(seed, witness(endings));
      for (let at = 0; at + 1 < bytes.length; at += 2)
        world.act(bytes[at] ?? 0, bytes[at + 1] ?? 0);
      const talkedUntilMs = world.nowMs();
      runOut(world);
      const { ended, version } = world.ledger.state();
      assert.ok(ended, 'a history ends');
      const latestMs = Math.max(talkedUntilMs, BEGIN_MS + HOUR_MS + STORE_GRACE_MS);
      assert.ok(Date.parse(ended.at) <= latestMs, 'it ends soon after its deadline');
      said += version;
    }),
    { numRuns: HISTORIES },
  );
  const perSecond = Math.round((HISTORIES * 1_000) / (performance.now() - beganMs));
  t.diagnostic(`${perSecond} histories/s, ${said} entries, ${JSON.stringify([...endings])}`);
  assert.ok(endings.size === 6, `the histories reach every end: ${[...endings.keys()]}`);
});

test('a lone coordinator in an ideal world seals', () => {
  const world = modelWorld(1, witness(new Map()));
  const acts = [
    [5, 1],
    [6, 0],
    [7, 2],
    [1, 0],
    [10, 0],
    [11, 2],
    [13, 2],
    [1, 0],
  ] as const;
  for (const [kind, how] of acts) world.act(kind, how);
  assert.equal(world.ledger.state().ended?.type, 'acquisition.sealed.v1');
});

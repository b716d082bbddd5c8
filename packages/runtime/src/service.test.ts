// SPDX-License-Identifier: Apache-2.0
// What the compiler refuses is proved by `tsc`: an @ts-expect-error above a line that compiles is
// itself an error.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import type { WorkerId } from '@impound/contracts/ids.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import * as z from 'zod';
import type { Message } from './message.ts';
import { type Said, say } from './say.ts';
import { answer, job, on, service } from './service.ts';

interface Access {
  readonly access: { readonly granted: boolean };
}
interface Clock {
  readonly nowMs: () => number;
}

async function targetResolved(
  message: Message<typeof TargetResolvedV1>,
  deps: Access,
): Promise<Said<typeof AccessCheckedV1>> {
  const { target } = message.data;
  const because = `${target.cluster}: ${deps.access.granted}`;
  return say(AccessCheckedV1, {
    ladder: [{ method: 'exec-stream', executor: 'kubernetes', verdict: 'unknown', because }],
  });
}

async function ledgerHead(_request: unknown, deps: Clock) {
  return { version: deps.nowMs(), stop: false, ended: false };
}

const rest = { config: z.object({}), answers: [] };
const open = async () => ({ access: { granted: true } });

test('a service is what was declared, from its name to its answers', () => {
  const whole = service({
    name: 'checker',
    config: z.object({ A: z.string() }),
    open: async (config) => ({ access: { granted: config.A === '1' }, nowMs: () => 1 }),
    says: [AccessCheckedV1],
    hears: [on(TargetResolvedV1, targetResolved)],
    answers: [answer(LedgerHeadV1, ledgerHead)],
  });
  assert.equal(whole.hears[0]?.contract, TargetResolvedV1);
  assert.equal(whole.hears[0]?.kind, 'handler');
  assert.equal(whole.answers[0]?.question, LedgerHeadV1);
});

test('a handler that returns an event missing from says does not compile', () => {
  const hears = [on(TargetResolvedV1, targetResolved)];
  // @ts-expect-error access.checked.v1 is returned and not declared
  const wrong = service({ name: 'x', ...rest, open, says: [TargetMissingV1], hears });
  assert.deepEqual(wrong.says, [TargetMissingV1]);
});

test('an otherwise that says an event missing from says does not compile', () => {
  const otherwise = () => say(TargetMissingV1, { code: 'forbidden', because: 'x' });
  // @ts-expect-error otherwise says another event than the handler
  const hears = [on(TargetResolvedV1, targetResolved, otherwise)];
  assert.equal(hears.length, 1);
});

test('an open that forgets a dependency does not compile', () => {
  const hears = [on(TargetResolvedV1, targetResolved)];
  const empty = async () => ({});
  // @ts-expect-error access is needed by the handler
  const forgot = service({ name: 'x', ...rest, open: empty, says: [AccessCheckedV1], hears });
  const answers = [answer(LedgerHeadV1, ledgerHead)];
  // @ts-expect-error nowMs is needed by the answer
  const half = service({ name: 'x', ...rest, open, says: [AccessCheckedV1], hears, answers });
  assert.equal(forgot.name, half.name);
});

test('a handler attached to the wrong contract does not compile', () => {
  // @ts-expect-error the handler reads what a missing target does not have
  const wrong = on(TargetMissingV1, targetResolved);
  // @ts-expect-error the answer is none to this question
  const odd = answer(LedgerHeadV1, async () => ({ chains: [] }));
  assert.deepEqual([wrong.contract, odd.question], [TargetMissingV1, LedgerHeadV1]);
});

test('a said message with a missing or misspelt field does not compile', () => {
  // @ts-expect-error because is missing
  const short = say(TargetMissingV1, { code: 'forbidden' });
  // @ts-expect-error there is no such code
  const odd = say(TargetMissingV1, { code: 'forbiden', because: 'x' });
  assert.deepEqual([short.contract, odd.contract], [TargetMissingV1, TargetMissingV1]);
});

test('a job whose claim or end is missing from says does not compile', () => {
  const hears = [
    job(
      AcquisitionAssignedV1,
      {
        route: 'kubernetes',
        slots: 1,
        claim: ({ data }, worker: WorkerId) => say(ExecutionStartedV1, { ...data, worker }),
        otherwise: failed,
      },
      async (message, _deps: Access, work) => failed(message, undefined, work.worker),
    ),
  ];
  const says = [ExecutionStartedV1, ExecutionFailedV1];
  const whole = service({ name: 'x', ...rest, open, says, hears });
  // @ts-expect-error the claim is not declared
  const noClaim = service({ name: 'x', ...rest, open, says: [ExecutionFailedV1], hears });
  // @ts-expect-error the end is not declared
  const noEnd = service({ name: 'x', ...rest, open, says: [ExecutionStartedV1], hears });
  assert.deepEqual([whole.name, noClaim.name, noEnd.name], ['x', 'x', 'x']);
});

function failed(
  { data }: Message<typeof AcquisitionAssignedV1>,
  _fault: unknown,
  worker: WorkerId,
): Said<typeof ExecutionFailedV1> {
  const footprint = { ...ExecutionFailedV1.example.footprint };
  const { epoch } = data;
  const end = { code: 'x', permanent: true, because: 'x', footprint, salvaged: [] };
  return say(ExecutionFailedV1, { epoch, worker, ...end });
}

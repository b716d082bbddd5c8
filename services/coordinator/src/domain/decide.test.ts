// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import {
  approved,
  assigned,
  at,
  BEGIN_MS,
  cancelling,
  captured,
  checked,
  type Fact,
  fact,
  HOUR_MS,
  lapsed,
  missing,
  ready,
  requested,
  resolved,
  started,
  stored,
  told,
  unapproved,
} from '../../test/story.ts';
import { decide } from './decide.ts';
import type { Now } from './decision.ts';

interface Row {
  readonly when: string;
  readonly facts: readonly Fact[];
  readonly now: Now;
  /** The type that is said; or the moment to wake at, in milliseconds after the beginning. */
  readonly does: string | number | undefined;
}

const EXEC = ready(['exec-stream', 'allowed']);
const RUNNING = [...EXEC, assigned(1), started(1)];
const ENDED = fact(AcquisitionFailedV1);

const ROWS: readonly Row[] = [
  { when: 'there is no chain', facts: [], now: at(0), does: undefined },
  { when: 'it has ended', facts: [requested(), ENDED], now: at(2 * HOUR_MS), does: undefined },
  { when: 'only the request is there', facts: [requested()], now: at(0), does: HOUR_MS },
  {
    when: 'everything but the approval is there',
    facts: [unapproved(), resolved(), checked(['exec-stream', 'allowed'])],
    now: at(0),
    does: HOUR_MS,
  },
  {
    when: 'the approval comes last',
    facts: [unapproved(), resolved(), checked(['exec-stream', 'allowed']), approved()],
    now: at(0),
    does: 'acquisition.assigned.v1',
  },
  { when: 'everything is there', facts: EXEC, now: at(0), does: 'acquisition.assigned.v1' },
  {
    when: 'the target is missing',
    facts: [unapproved(), missing()],
    now: at(0),
    does: 'acquisition.failed.v1',
  },
  {
    when: 'the target is missing and the deadline has passed',
    facts: [requested(), missing()],
    now: at(HOUR_MS),
    does: 'acquisition.failed.v1',
  },
  {
    when: 'a capture was stored',
    facts: [...RUNNING, captured(1), stored(1)],
    now: at(0),
    does: 'acquisition.sealed.v1',
  },
  {
    when: 'a capture was stored before somebody cancelled, and the deadline has passed',
    facts: [...RUNNING, captured(1), stored(1), cancelling()],
    now: at(2 * HOUR_MS),
    does: 'acquisition.sealed.v1',
  },
  {
    when: 'somebody cancelled while the capture was being stored',
    facts: [...RUNNING, captured(1), cancelling()],
    now: at(0),
    does: 'acquisition.cancelled.v1',
  },
  {
    when: 'somebody cancelled before anything was found',
    facts: [requested(), cancelling(), missing()],
    now: at(0),
    does: 'acquisition.cancelled.v1',
  },
  {
    when: 'somebody cancelled and the epoch lapsed, and the deadline has passed',
    facts: [...RUNNING, cancelling(), lapsed(1)],
    now: at(2 * HOUR_MS),
    does: 'acquisition.cancelled.v1',
  },
];

for (const { when, facts, now, does } of ROWS) {
  const what = typeof does === 'string' ? `it says ${does}` : `it waits for ${does ?? 'nothing'}`;
  test(`when ${when}, ${what}`, () => {
    const { say, wakeAtMs } = decide(told(...facts), now);
    assert.equal(say?.contract.type, typeof does === 'string' ? does : undefined);
    assert.equal(wakeAtMs, typeof does === 'number' ? BEGIN_MS + does : undefined);
    if (say) assert.deepEqual(say.contract.shape.parse(say.data), say.data);
  });
}

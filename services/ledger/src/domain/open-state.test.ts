// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fold } from '@impound/contracts/chain.ts';
import { Entry } from '@impound/contracts/entry.ts';
import { statusOf } from '@impound/contracts/status.ts';
import { contractOf } from './contracts.ts';
import { OPEN_STATES, openState } from './open-state.ts';

const REQUESTED = ['acquisition.requested.v1'];
const RESOLVED = [...REQUESTED, 'target.resolved.v1'];
const CHECKED = [...RESOLVED, 'access.checked.v1'];
const ASSIGNED = [...CHECKED, 'acquisition.assigned.v1'];
const STARTED = [...ASSIGNED, 'execution.started.v1'];
const CAPTURED = [...STARTED, 'evidence.captured.v1'];
const STEPS: readonly (readonly string[])[] = [
  REQUESTED,
  [...REQUESTED, 'target.missing.v1'],
  [...REQUESTED, 'evidence.accessed.v1'],
  RESOLVED,
  CHECKED,
  ASSIGNED,
  STARTED,
  [...STARTED, 'execution.failed.v1'],
  [...STARTED, 'execution.lapsed.v1'],
  [...STARTED, 'execution.lapsed.v1', 'execution.fenced.v1'],
  CAPTURED,
  [...CAPTURED, 'evidence.stored.v1'],
  [...CAPTURED, 'evidence.rejected.v1'],
  [...STARTED, 'cancellation.requested.v1'],
];

/** A chain of specimens; those of one epoch all have the epoch of the assignment. */
function chainOf(types: readonly string[], decision: string) {
  const acq = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
  const time = '2026-11-23T09:15:00.000000Z';
  return types.map((type, at) => {
    const example = contractOf(type)?.example as Record<string, unknown>;
    const epoch = 'epoch' in example ? { epoch: 1 } : {};
    const policy = at === 0 ? { policy: { ...(example['policy'] as object), decision } } : {};
    return Entry.parse({
      v: 1,
      acq,
      acqSeq: at + 1,
      acqPrev: '0'.repeat(64),
      recordedAt: time,
      salt: 'AAAAAAAAAAAAAAAAAAAAAA==',
      event: {
        specversion: '1.0',
        id: `0199f5a2-7c3e-7a10-8f52-${at.toString(16).padStart(12, '0')}`,
        source: '/impound/test/t-1',
        type,
        subject: acq,
        time,
        datacontenttype: 'application/json',
        tenant: 'default',
        data: { ...example, ...epoch, ...policy },
      },
    });
  });
}

for (const types of STEPS) {
  test(`the types alone tell the status after ${types.at(-1)} (${types.length})`, () => {
    for (const decision of ['allowed', 'approval-required']) {
      const status = statusOf(fold(chainOf(types, decision)));
      const state = openState({ types, allowed: decision === 'allowed' });
      assert.equal(state, status);
      assert.ok(OPEN_STATES.includes(state));
    }
  });
}

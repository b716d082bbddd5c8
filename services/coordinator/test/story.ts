// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionApprovedV1 } from '@impound/contracts/acquisition/approved.v1.ts';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { CancellationRequestedV1 } from '@impound/contracts/cancellation/requested.v1.ts';
import { type Acquisition, fold } from '@impound/contracts/chain.ts';
import { ContextStoredV1 } from '@impound/contracts/context/stored.v1.ts';
import { type Entry, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import type { DataOf, EventContract } from '@impound/contracts/event.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionLapsedV1 } from '@impound/contracts/execution/lapsed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import type { Method, Verdict } from '@impound/contracts/methods.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { childId } from '@impound/runtime/ids.ts';
import type { Decision, Now } from '../src/domain/decision.ts';

/** The moment at which every story begins, and the time its acquisition has. */
export const BEGIN_MS = Date.parse('2026-11-23T09:00:00Z');
export const HOUR_MS = 3_600_000;
export const ID = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
export const WORKER = 'k8s-1-7f3a';

/** Something that was said, so many milliseconds after the beginning. */
export interface Fact {
  readonly contract: EventContract;
  readonly data: object;
  readonly afterMs: number;
}

/** One more event for a story: the specimen of its contract with these fields instead. */
export function fact<C extends EventContract>(
  contract: C,
  data: Partial<DataOf<C>> = {},
  afterMs = 0,
): Fact {
  return { contract, data: { ...(contract.example as object), ...(data as object) }, afterMs };
}

export const requested = (data: Partial<AcquisitionRequestedV1> = {}) =>
  fact(AcquisitionRequestedV1, { deadline: timeOf(BEGIN_MS + HOUR_MS), ...data });
export const unapproved = (data: Partial<AcquisitionRequestedV1> = {}) =>
  requested({ policy: { decision: 'approval-required', because: 'prod' }, ...data });
export const approved = () => fact(AcquisitionApprovedV1);
export const resolved = () => fact(TargetResolvedV1);
export const kept = (data: Partial<ContextStoredV1> = { objects: [] }) =>
  fact(ContextStoredV1, data);
export const missing = (data: Partial<TargetMissingV1> = {}) => fact(TargetMissingV1, data);
export const checked = (...rungs: readonly (readonly [Method, Verdict])[]) =>
  fact(AccessCheckedV1, {
    ladder: rungs.map(([method, verdict]) => ({
      method,
      executor: 'kubernetes',
      verdict,
      because: `${method} is ${verdict}`,
    })),
  });
export const assigned = (epoch: number, method: Method = 'exec-stream', afterMs = 0) =>
  fact(AcquisitionAssignedV1, { epoch, method }, afterMs);
export const started = (epoch: number, afterMs = 0) =>
  fact(ExecutionStartedV1, { epoch, worker: WORKER as never }, afterMs);
export const failed = (epoch: number, data: Partial<ExecutionFailedV1> = {}, afterMs = 0) =>
  fact(ExecutionFailedV1, { epoch, ...data }, afterMs);
export const lapsed = (epoch: number, afterMs = 0) =>
  fact(ExecutionLapsedV1, { epoch, because: 'silent' }, afterMs);
export const captured = (epoch: number, data: Partial<EvidenceCapturedV1> = {}) =>
  fact(EvidenceCapturedV1, { epoch, ...data });
export const stored = (epoch: number, data: Partial<EvidenceStoredV1> = {}) =>
  fact(EvidenceStoredV1, { epoch, ...data });
export const rejected = (epoch: number, afterMs = 0) =>
  fact(EvidenceRejectedV1, { epoch }, afterMs);
export const cancelling = (afterMs = 0) => fact(CancellationRequestedV1, {}, afterMs);

/** Ready for a first assignment, with these rungs; the context is in the store. */
export const ready = (...rungs: readonly (readonly [Method, Verdict])[]): readonly Fact[] => [
  requested(),
  resolved(),
  kept(),
  checked(...rungs),
];

/** The entries of a story, each following the one before it. */
export function entriesOf(facts: readonly Fact[], id = ID): readonly Entry[] {
  return facts.map(({ contract, data, afterMs }, at) => ({
    v: 1 as const,
    acq: id as Entry['acq'],
    acqSeq: at + 1,
    acqPrev: at === 0 ? NO_PREVIOUS : hashOf(at),
    recordedAt: timeOf(BEGIN_MS + afterMs),
    salt: 'AAAAAAAAAAAAAAAAAAAAAA==',
    event: {
      specversion: '1.0' as const,
      id: childId(id, contract.type, String(at)) as Entry['event']['id'],
      source: '/impound/story/teller',
      type: contract.type,
      subject: id as Entry['acq'],
      time: timeOf(BEGIN_MS + afterMs),
      datacontenttype: 'application/json' as const,
      tenant: 'default' as Entry['event']['tenant'],
      data: data as Record<string, unknown>,
    },
  }));
}

/** The leaf hash that a story's entry at this version has: any 64 digits will do. */
export function hashOf(version: number): string {
  return version.toString(16).padStart(64, 'a');
}

/** The state after a story. */
export function told(...facts: readonly Fact[]): Acquisition {
  return fold(entriesOf(facts));
}

/** A moment so long after the beginning, at which nobody was heard unless a test says so. */
export function at(afterMs: number, changes: Partial<Now> = {}): Now {
  return {
    nowMs: BEGIN_MS + afterMs,
    lastHeardMs: () => undefined,
    executorHeardMs: () => undefined,
    others: [],
    lastEntry: 'd'.repeat(64),
    ...changes,
  };
}

/** The data of what was decided to be said, which has to fit its contract. */
export function dataOf(decision: Decision | undefined, type: string): Record<string, unknown> {
  assert.equal(decision?.say?.contract.type, type);
  const { contract, data } = decision.say;
  assert.deepEqual(contract.shape.parse(data), data);
  return data as Record<string, unknown>;
}

// SPDX-License-Identifier: Apache-2.0
import { AcquisitionCancelledV1 } from '@impound/contracts/acquisition/cancelled.v1.ts';
import { AcquisitionExpiredV1 } from '@impound/contracts/acquisition/expired.v1.ts';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import type { Acquisition } from '@impound/contracts/chain.ts';
import { findingRight, rightText } from '@impound/contracts/permissions.ts';
import { millisecondsOf } from '@impound/contracts/time.ts';
import { GRANT_ADVICE, MISSING_ADVICE } from './advice.ts';
import { type Decision, deadlineMs, decided, type Now, waitUntil } from './decision.ts';
import { lapse } from './executing.ts';
import { CANCEL_GRACE_MS, RIGHTS_MS, STORE_GRACE_MS } from './limits.ts';
import { awaitsContext, fallOf, inFlight, MANIFEST, phaseOf } from './phase.ts';
import { cut, listed } from './sentence.ts';

/**
 * Whole evidence is sealed, whatever else was asked for: a cancellation or a deadline that comes
 * after everything was stored and verified must not hide that it exists. The seal waits for the
 * context, for as long as the uploader may take for what was captured before the deadline.
 */
export function sealed(state: Acquisition, now: Now): Decision | undefined {
  if (inFlight(state.executions.at(-1))) return undefined;
  const whole = state.executions.findLast((execution) => phaseOf(execution) === 'whole');
  if (!whole?.captured || !whole.stored) return undefined;
  const { captured, stored } = whole;
  const untilMs = deadlineMs(state) + STORE_GRACE_MS;
  if (awaitsContext(state) && now.nowMs < untilMs) return { wakeAtMs: untilMs };
  const context = state.contextStored?.objects ?? [];
  const objects = [...stored.objects, ...context];
  const manifest = captured.objects.find(({ name }) => name === MANIFEST);
  return decided(AcquisitionSealedV1, {
    epoch: captured.epoch,
    manifest: manifest?.sha256 ?? '',
    objects: objects.map(({ name, key, bytes, sha256 }) => ({ name, key, bytes, sha256 })),
    coverage: captured.coverage,
    partial: captured.partial,
    entries: state.version,
    lastEntry: now.lastEntry,
  });
}

/** A cancellation: the holder of an epoch gets a while to end by itself, then it is ended. */
export function cancelled(state: Acquisition, now: Now): Decision | undefined {
  const { cancellation, cancellationAt } = state;
  if (cancellation === undefined) return undefined;
  const last = state.executions.at(-1);
  if (last && phaseOf(last) === 'claimed') {
    const graceMs = millisecondsOf(cancellationAt ?? state.lastAt) + CANCEL_GRACE_MS;
    const until = waitUntil(state, graceMs);
    if (now.nowMs < (until.wakeAtMs ?? 0)) return until;
    return lapse(last, `cancelled by ${cancellation.requestedBy.id}, and the worker did not end`);
  }
  const because = `cancelled by ${cancellation.requestedBy.id}: ${cancellation.reason}`;
  return decided(AcquisitionCancelledV1, { because: cut(because, 1_024) });
}

/**
 * A target that discovery could not find: there is nothing to wait for. Where the cluster withheld
 * it, who grants that right should hear of all others as well, and not ask again for each.
 */
export function missing(state: Acquisition, now: Now): Decision | undefined {
  if (state.missing === undefined) return undefined;
  const { code, because, withheld } = state.missing;
  if (withheld && !state.access) {
    const until = waitUntil(state, millisecondsOf(state.lastAt) + RIGHTS_MS);
    if (now.nowMs < (until.wakeAtMs ?? 0)) return until;
  }
  return decided(AcquisitionFailedV1, {
    code,
    because: listed(state.access?.grant ? rightsMissing(state) : [because], 1_024),
    next: state.access?.grant ? GRANT_ADVICE : MISSING_ADVICE[code],
    salvaged: [],
  });
}

/** Discovery's right first, then those of each method. */
function rightsMissing({ missing, access }: Acquisition): readonly string[] {
  const target = missing?.withheld?.target;
  const denied = access?.ladder.filter(({ verdict }) => verdict === 'denied') ?? [];
  const methods = denied.map((rung) => `${rung.method}: ${rung.because}`);
  if (target === undefined) return methods;
  const first = `discovery: ${rightText(findingRight(target))}`;
  return [`${first} is not granted in namespace ${target.namespace}`, ...methods];
}

/** The deadline: ends the live epoch first, and gives the uploader a while for a capture. */
export function expired(state: Acquisition, now: Now): Decision | undefined {
  const atMs = deadlineMs(state);
  if (now.nowMs < atMs || state.request === undefined) return undefined;
  const last = state.executions.at(-1);
  const phase = last && phaseOf(last);
  if (last && (phase === 'assigned' || phase === 'claimed')) {
    return lapse(last, 'the deadline of the acquisition has passed');
  }
  const graceEndMs = atMs + STORE_GRACE_MS;
  if (phase === 'captured' && now.nowMs < graceEndMs) return { wakeAtMs: graceEndMs };
  const because = cut(`the deadline passed: ${waitedFor(state)}`, 1_024);
  return decided(AcquisitionExpiredV1, { deadline: state.request.deadline, because });
}

function waitedFor(state: Acquisition): string {
  const last = state.executions.at(-1);
  if (last && phaseOf(last) === 'captured') {
    return `the uploader had not verified what epoch ${last.assigned.epoch} captured`;
  }
  const fall = last && fallOf(last);
  if (fall)
    return `no attempt had succeeded, the last one: ${last.assigned.method}: ${fall.because}`;
  const waits = [
    state.approved ? undefined : 'nobody had approved the request',
    state.target ? undefined : 'discovery had not answered',
    state.access || !state.target ? undefined : 'rbac-checker had not answered',
    awaitsContext(state) ? 'the context was not stored' : undefined,
  ].filter((wait) => wait !== undefined);
  return waits.length > 0 ? listed(waits, 512) : 'nothing had been assigned';
}

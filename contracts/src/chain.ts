// SPDX-License-Identifier: Apache-2.0
import type { AccessCheckedV1 } from './access/checked.v1.ts';
import type { AcquisitionAssignedV1 } from './acquisition/assigned.v1.ts';
import type { AcquisitionRequestedV1 } from './acquisition/requested.v1.ts';
import type { CancellationRequestedV1 } from './cancellation/requested.v1.ts';
import type { ContextCapturedV1 } from './context/captured.v1.ts';
import type { ContextStoredV1 } from './context/stored.v1.ts';
import type { Entry } from './entry.ts';
import type { Envelope } from './envelope.ts';
import type { EvidenceCapturedV1 } from './evidence/captured.v1.ts';
import type { EvidenceRejectedV1 } from './evidence/rejected.v1.ts';
import type { EvidenceStoredV1 } from './evidence/stored.v1.ts';
import type { ExecutionFailedV1 } from './execution/failed.v1.ts';
import type { ExecutionLapsedV1 } from './execution/lapsed.v1.ts';
import type { ExecutionStartedV1 } from './execution/started.v1.ts';
import type { TargetMissingV1 } from './target/missing.v1.ts';
import type { TargetResolvedV1 } from './target/resolved.v1.ts';

/** One epoch: what was assigned, who took it, how it ended. Times are the ledger's. */
export interface Execution {
  readonly assigned: AcquisitionAssignedV1;
  readonly assignedAt: string;
  readonly started?: ExecutionStartedV1;
  readonly startedAt?: string;
  readonly captured?: EvidenceCapturedV1;
  readonly stored?: EvidenceStoredV1;
  readonly failed?: ExecutionFailedV1;
  readonly lapsed?: ExecutionLapsedV1;
  readonly rejected?: EvidenceRejectedV1;
  /** When it failed, lapsed or was rejected. */
  readonly overAt?: string;
}

/** An acquisition as its chain tells it: the only place where its state is made. */
export interface Acquisition {
  readonly acquisitionId: string;
  readonly tenant: string;
  readonly version: number;
  /** Id of the last event: the cause of what is decided next. */
  readonly lastId: string;
  readonly lastAt: string;
  readonly requestedAt: string;
  readonly request?: AcquisitionRequestedV1;
  readonly approved: boolean;
  readonly cancellation?: CancellationRequestedV1;
  readonly cancellationAt?: string;
  readonly target?: TargetResolvedV1;
  readonly missing?: TargetMissingV1;
  readonly context?: ContextCapturedV1;
  readonly contextStored?: ContextStoredV1;
  readonly access?: AccessCheckedV1;
  readonly executions: readonly Execution[];
  readonly ended?: { readonly type: string; readonly at: string; readonly data: object };
}

/** The state of a chain that has no entry yet. */
export const NO_ACQUISITION: Acquisition = {
  acquisitionId: '',
  tenant: '',
  version: 0,
  lastId: '',
  lastAt: '',
  requestedAt: '',
  approved: false,
  executions: [],
};

const ENDINGS = new Set([
  ...['sealed', 'failed', 'cancelled', 'expired', 'refused', 'joined', 'denied'].map(
    (verb) => `acquisition.${verb}.v1`,
  ),
  'audit.read.v1',
  'audit.denied.v1',
]);

/** Whether an event of this type ends its chain. */
export function endsAcquisition(type: string): boolean {
  return ENDINGS.has(type);
}

/** What the fold needs of an entry: whoever said it and was told its place has that too. */
export interface Recorded extends Pick<Entry, 'acq' | 'acqSeq' | 'recordedAt'> {
  readonly event: Pick<Envelope, 'id' | 'tenant' | 'type' | 'data'>;
}

/** The fold: state and one more entry give the next state. Unknown types only move the version. */
export function next(state: Acquisition, entry: Recorded): Acquisition {
  const { event } = entry;
  const moved: Acquisition = {
    ...state,
    acquisitionId: entry.acq,
    tenant: event.tenant,
    version: entry.acqSeq,
    lastId: event.id,
    lastAt: entry.recordedAt,
  };
  // The ledger has checked the data against the contract before it was committed.
  const change = CHANGES[event.type];
  if (change !== undefined) return { ...moved, ...change(moved, event.data as never, entry) };
  if (!endsAcquisition(event.type) || state.ended !== undefined) return moved;
  const ended = { type: event.type, at: entry.recordedAt, data: event.data };
  // A denied request is the whole of its chain.
  return { ...moved, ended, requestedAt: state.requestedAt || entry.recordedAt };
}

/** The state after a whole chain. */
export function fold(entries: Iterable<Entry>): Acquisition {
  let state = NO_ACQUISITION;
  for (const entry of entries) state = next(state, entry);
  return state;
}

/** The epoch whose holder may act on the target; undefined where none is. */
export function liveExecution(state: Acquisition): Execution | undefined {
  const last = state.executions.at(-1);
  if (last === undefined || state.ended !== undefined) return undefined;
  return last.captured || last.failed || last.lapsed ? undefined : last;
}

type Change = (state: Acquisition, data: never, entry: Recorded) => Partial<Acquisition>;

const CHANGES: Readonly<Record<string, Change>> = {
  'acquisition.requested.v1': (_state, request: AcquisitionRequestedV1, entry) => ({
    request,
    requestedAt: entry.recordedAt,
    approved: request.policy.decision === 'allowed',
  }),
  'acquisition.approved.v1': () => ({ approved: true }),
  'cancellation.requested.v1': (state, cancellation: CancellationRequestedV1, entry) => ({
    cancellation: state.cancellation ?? cancellation,
    cancellationAt: state.cancellationAt ?? entry.recordedAt,
  }),
  'target.resolved.v1': (state, target: TargetResolvedV1) =>
    state.target || state.missing ? {} : { target },
  'target.missing.v1': (state, missing: TargetMissingV1) =>
    state.target || state.missing ? {} : { missing },
  'context.captured.v1': (state, context: ContextCapturedV1) => ({
    context: state.context ?? context,
  }),
  'context.stored.v1': (state, stored: ContextStoredV1) => ({
    contextStored: state.contextStored ?? stored,
  }),
  'access.checked.v1': (state, access: AccessCheckedV1) => ({ access: state.access ?? access }),
  'acquisition.assigned.v1': (state, assigned: AcquisitionAssignedV1, entry) => ({
    executions: [...state.executions, { assigned, assignedAt: entry.recordedAt }],
  }),
  'execution.started.v1': (state, started: ExecutionStartedV1, entry) =>
    inEpoch(state, started.epoch, { started, startedAt: entry.recordedAt }),
  'execution.failed.v1': (state, failed: ExecutionFailedV1, entry) =>
    inEpoch(state, failed.epoch, { failed, overAt: entry.recordedAt }),
  'execution.lapsed.v1': (state, lapsed: ExecutionLapsedV1, entry) =>
    inEpoch(state, lapsed.epoch, { lapsed, overAt: entry.recordedAt }),
  'evidence.captured.v1': (state, captured: EvidenceCapturedV1) =>
    inEpoch(state, captured.epoch, { captured }),
  'evidence.stored.v1': (state, stored: EvidenceStoredV1) =>
    inEpoch(state, stored.epoch, { stored }),
  'evidence.rejected.v1': (state, rejected: EvidenceRejectedV1, entry) =>
    inEpoch(state, rejected.epoch, { rejected, overAt: entry.recordedAt }),
};

function inEpoch(
  state: Acquisition,
  epoch: number,
  change: Partial<Execution>,
): Partial<Acquisition> {
  return {
    executions: state.executions.map((execution) =>
      execution.assigned.epoch === epoch ? { ...execution, ...change } : execution,
    ),
  };
}

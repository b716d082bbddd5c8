// SPDX-License-Identifier: Apache-2.0
import { AcquisitionDeniedV1 } from '@impound/contracts/acquisition/denied.v1.ts';
import type { Acquisition, Execution } from '@impound/contracts/chain.ts';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import { statusOf } from '@impound/contracts/status.ts';
import { formatTarget, type Target } from '@impound/contracts/target.ts';
import { waitsForExecutor } from '@impound/contracts/waiting.ts';

/** An object that a chain names, and whether the uploader has read it back. */
export type NamedObject = EvidenceObject & { readonly verified: boolean };

/** Every object that the chain names, by its key; the latest word on each counts. */
export function objectsOf(state: Acquisition): ReadonlyMap<string, NamedObject> {
  const objects = new Map<string, NamedObject>();
  const add = (named: readonly EvidenceObject[] = [], verified: boolean) => {
    for (const { name, key, bytes, sha256 } of named) {
      if (objects.get(key)?.verified === true) continue;
      objects.set(key, { name, key, bytes, sha256, verified });
    }
  };
  for (const { stored } of state.executions) add(stored?.objects, true);
  add(state.contextStored?.objects, true);
  add(state.context?.objects, false);
  for (const { captured } of state.executions) add(captured?.objects, false);
  add((state.ended?.data as { salvaged?: EvidenceObject[] } | undefined)?.salvaged, false);
  return objects;
}

/** An acquisition as it is shown to people and programs. */
export function viewOf(state: Acquisition): object {
  const last = state.executions.findLast((execution) => execution.captured !== undefined);
  return {
    acquisitionId: state.acquisitionId,
    caseId: begunOf(state)?.caseId,
    status: statusOf(state),
    waiting: waitsForExecutor(state),
    version: state.version,
    target: begunOf(state) && formatTarget(begunOf(state)?.target as Target),
    requestedAt: state.requestedAt,
    lastAt: state.lastAt,
    request: state.request,
    approved: state.approved,
    cancellation: state.cancellation,
    found: state.target,
    context: state.context,
    missing: state.missing,
    ladder: state.access?.ladder,
    grant: state.access?.grant,
    executions: state.executions.map(executionView),
    coverage: last?.captured?.coverage,
    objects: [...objectsOf(state).values()],
    ended: state.ended,
    links: linksOf(state.acquisitionId, joinsOf(state)),
  };
}

/** What the chain begins with: a request, or one that was denied. */
function begunOf(state: Acquisition) {
  if (state.request !== undefined) return state.request;
  return state.ended?.type === AcquisitionDeniedV1.type
    ? (state.ended.data as AcquisitionDeniedV1)
    : undefined;
}

function executionView(execution: Execution): object {
  const { assigned, assignedAt, started, startedAt, ...results } = execution;
  const { epoch, method, executor } = assigned;
  return { epoch, method, executor, assignedAt, worker: started?.worker, startedAt, ...results };
}

function joinsOf(state: Acquisition): string | undefined {
  const data = state.ended?.data as { joins?: string } | undefined;
  return data?.joins;
}

/** Where else to look. `joins` is the acquisition whose result this one shares. */
export function linksOf(acquisitionId: string, joins?: string): Record<string, string> {
  const self = `/v1/acquisitions/${acquisitionId}`;
  return {
    self,
    events: `${self}/events`,
    chain: `${self}/chain`,
    ...(joins === undefined ? {} : { joins: `/v1/acquisitions/${joins}` }),
  };
}

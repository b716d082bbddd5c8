// SPDX-License-Identifier: Apache-2.0
import { UploaderInspectV1 } from '@impound/contracts/ask/uploader.inspect.v1.ts';
import type { Acquisition } from '@impound/contracts/chain.ts';
import { EvidenceInspectedV1 } from '@impound/contracts/evidence/inspected.v1.ts';
import type { InspectedObject, Inspection, StoredObject } from '@impound/contracts/evidence.ts';
import { newId } from '@impound/runtime/ids.ts';
import { measuresOf } from '@impound/runtime/metrics.ts';
import { LABEL, METRICS } from '@impound/runtime/semantics.ts';
import type { Caller } from '../domain/caller.ts';
import { Refusal } from '../domain/problem.ts';
import { acquisitionOf, chainOf } from './chain-read.ts';
import { allowEvidence, type EvidenceDeps } from './evidence-access.ts';
import { reach, record } from './reach.ts';

/** Who wants to know how the evidence of which acquisition is held, and what for. */
export interface Inspecting {
  readonly caller: Caller;
  readonly acquisitionId: string;
  readonly reason: string;
}

const OBJECTS_MAX = 64;

/** Has the store asked how it holds evidence, and puts the answer on record. Throws Refusal. */
export async function inspectEvidence(
  { caller, acquisitionId, reason: purpose }: Inspecting,
  deps: EvidenceDeps,
  signal: AbortSignal,
): Promise<Inspection> {
  const of = chainOf(caller.tenant, acquisitionId);
  const acquisition = await acquisitionOf(of, deps.ask, signal);
  const asking = { action: 'inspect-evidence', caller, purpose, of, acquisition } as const;
  const policy = await allowEvidence(asking, deps, signal);
  const stored = storedObjects(acquisition);
  const inspected: InspectedObject[] = [];
  for (let at = 0; at < stored.length; at += OBJECTS_MAX) {
    const asked = { ...of, objects: stored.slice(at, at + OBJECTS_MAX) };
    const { objects } = await reach(deps.ask(UploaderInspectV1, asked, signal));
    const data = { inspectedBy: caller.actor, purpose, policy, objects };
    const reply = await record(
      (limit) => deps.say({ contract: EvidenceInspectedV1, data, id: newId(), ...of }, limit),
      signal,
      'what was found may have been recorded: ask again',
    );
    if (!reply.ok) throw new Refusal('refused', `the ledger refused it: ${reply.because}`);
    countDeviations(objects);
    inspected.push(...objects);
  }
  return { objects: inspected };
}

function countDeviations(objects: readonly InspectedObject[]): void {
  for (const { code } of objects.flatMap(({ deviations }) => deviations)) {
    measuresOf('gateway').count(METRICS.differs, 1, { [LABEL.code]: code });
  }
}

/** Every object that is on record as stored; the first word on each counts. */
function storedObjects({ executions, contextStored }: Acquisition): readonly StoredObject[] {
  const all = [...executions.map(({ stored }) => stored), contextStored];
  const byKey = new Map<string, StoredObject>();
  for (const one of all.flatMap((stored) => stored?.objects ?? [])) {
    if (!byKey.has(one.key)) byKey.set(one.key, one);
  }
  return [...byKey.values()];
}

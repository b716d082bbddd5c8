// SPDX-License-Identifier: Apache-2.0

import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import type { WorkerId } from '@impound/contracts/ids.ts';
import * as z from 'zod';
import { newId } from '../src/ids.ts';
import type { Message } from '../src/message.ts';
import { type Said, say } from '../src/say.ts';
import { type GivenUp, job, service, type Work } from '../src/service.ts';
import { until } from '../src/testing/until.ts';
import type { World } from './world.ts';

export const BEAT_MS = 100;
export const EXECUTOR = 'executor-kubernetes';

export type Assigned = Message<typeof AcquisitionAssignedV1>;
type Result = Said<typeof EvidenceCapturedV1 | typeof ExecutionFailedV1>;
export type Handle = (message: Assigned, work: Work, signal: AbortSignal) => Promise<Result>;

/** An executor with one job, whose heart beats fast. */
export function executor(handle: Handle) {
  return service({
    name: EXECUTOR,
    config: z.object({}),
    open: async () => ({}),
    says: [ExecutionStartedV1, EvidenceCapturedV1, ExecutionFailedV1],
    hears: [
      job(
        AcquisitionAssignedV1,
        { route: 'kubernetes', slots: 4, heartbeatMs: BEAT_MS, claim, otherwise },
        async (message, _deps: unknown, work, signal) => await handle(message, work, signal),
      ),
    ],
    answers: [],
  });
}

function claim({ data }: Assigned, worker: WorkerId): Said<typeof ExecutionStartedV1> {
  return say(ExecutionStartedV1, { ...data, worker });
}

function otherwise(
  { data: { epoch } }: Assigned,
  { code, because }: GivenUp,
  worker: WorkerId,
): Said<typeof ExecutionFailedV1> {
  const { footprint } = ExecutionFailedV1.example;
  const end = { code, because, permanent: false, footprint: { ...footprint }, salvaged: [] };
  return say(ExecutionFailedV1, { epoch, worker, ...end });
}

/** What a job returns that has got everything. */
export function captured(
  { data: { epoch } }: Assigned,
  { worker }: Work,
  because?: string,
): Result {
  const data = EvidenceCapturedV1.shape.parse(EvidenceCapturedV1.example);
  const why = because === undefined ? {} : { because };
  return say(EvidenceCapturedV1, { ...data, ...why, epoch, worker });
}

/** Assigns epoch 1 of a new acquisition. */
export async function assign(it: World, acquisitionId: string = newId()): Promise<string> {
  const data = AcquisitionAssignedV1.shape.parse(AcquisitionAssignedV1.example);
  await it.ledger.record({ contract: AcquisitionAssignedV1, data, acquisitionId });
  return acquisitionId;
}

/** The types of a chain, in their order. */
export function typesOf(it: World, acquisitionId: string): readonly string[] {
  return it.ledger.chain(acquisitionId).map(({ event }) => event.type);
}

/** The data of the result, once there is one. */
export async function resultOf(
  it: World,
  acquisitionId: string,
): Promise<Readonly<Record<string, unknown>> & { readonly type: string }> {
  const entry = await until(
    () => it.ledger.chain(acquisitionId).find(({ event }) => RESULTS.has(event.type)),
    'a result',
  );
  return { ...entry.event.data, type: entry.event.type };
}

const RESULTS = new Set<string>([EvidenceCapturedV1.type, ExecutionFailedV1.type]);

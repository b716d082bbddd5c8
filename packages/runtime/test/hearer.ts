// SPDX-License-Identifier: Apache-2.0

import type { TestContext } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import * as z from 'zod';
import { newId } from '../src/ids.ts';
import type { Message } from '../src/message.ts';
import { type Said, say } from '../src/say.ts';
import { type GivenUp, on, service } from '../src/service.ts';
import type { BeforeSay } from '../src/testing/scripted-ledger.ts';
import { until } from '../src/testing/until.ts';
import { type World, world } from './world.ts';

export type Requested = Message<typeof AcquisitionRequestedV1>;
export type Handle = (
  message: Requested,
  deps: unknown,
  signal: AbortSignal,
) => Promise<Said<typeof TargetMissingV1> | undefined>;

export const TYPE = AcquisitionRequestedV1.type;

/** What a hearer says. */
export function missing(because: string): Said<typeof TargetMissingV1> {
  return say(TargetMissingV1, { code: 'pod-not-found', because });
}

function givenUp(_message: Requested, fault: GivenUp): Said<typeof TargetMissingV1> {
  return missing(`${fault.code}: ${fault.because}`);
}

/** A service with one handler. */
export function hearer(handle: Handle, otherwise: typeof givenUp | undefined = givenUp) {
  return service({
    name: 'discovery',
    config: z.object({}),
    open: async () => ({}),
    says: [TargetMissingV1],
    hears: [on(AcquisitionRequestedV1, handle, otherwise)],
    answers: [],
  });
}

/** Begins a chain, which the hearer hears. */
export async function request(it: World, acquisitionId: string = newId()): Promise<string> {
  const data = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
  await it.ledger.record({ contract: AcquisitionRequestedV1, data, acquisitionId });
  return acquisitionId;
}

/** What was said because of the request, once it was. */
export async function answerTo(it: World, acquisitionId: string): Promise<string> {
  const entry = await until(() => it.ledger.chain(acquisitionId)[1], 'an answer');
  return String(entry.event.data['because']);
}

/** Whether everything was delivered and settled. */
export async function settled(it: World): Promise<boolean> {
  const { pending, unacked } = await it.consumer('discovery', TYPE);
  return pending === 0 && unacked === 0;
}

export const ofDiscovery = (t: TestContext, before?: BeforeSay) =>
  world(t, ['discovery'], before === undefined ? {} : { before });

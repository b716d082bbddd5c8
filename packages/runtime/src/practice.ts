// SPDX-License-Identifier: Apache-2.0
import { setTimeout } from 'node:timers/promises';
import { entryText, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { newId } from './ids.ts';
import { readMessage } from './message.ts';
import { eventBytes, type Saying } from './say.ts';
import type { AnyService } from './service.ts';

/** Something that may be done again and again, for it has no effect. */
export type Exercise = () => unknown;

const ROUNDS = 200;
/** Whatever comes meanwhile waits no longer. */
const TURN_MS = 3;
/** Work that is there at the start, as after a death, takes many turns of its own. */
const REST_MS = 12;

/**
 * Reads and writes the specimens of what a service hears and says, until the engine has compiled
 * what does it: what runs for the first times takes a multiple of its time, and in a breach the
 * first times count. Nothing is heard, said or kept. Ends with the signal.
 */
export async function practise(
  service: AnyService,
  signal: AbortSignal,
  rounds = ROUNDS,
): Promise<void> {
  const exercises: Exercise[] = [
    ...(service.hears as AnyService['hears']).map(({ contract }) => reading(contract)),
    ...(service.says as readonly EventContract[]).map(writing),
    ...((await service.practice?.()) ?? []),
  ];
  let turnAt = performance.now();
  for (let round = 0; round < rounds; round++) {
    for (const exercise of exercises) {
      if (signal.aborted) return;
      exercise();
      if (performance.now() - turnAt < TURN_MS) continue;
      await setTimeout(REST_MS);
      turnAt = performance.now();
    }
  }
}

/** What might be said by that contract, and never is. */
export function specimenOf(contract: EventContract): Saying {
  const [id, acquisitionId] = [newId(), newId()];
  return { contract, data: contract.example, id, tenant: 'default', acquisitionId };
}

function writing(contract: EventContract): Exercise {
  const saying = specimenOf(contract);
  return () => eventBytes(saying, SOURCE);
}

function reading(contract: EventContract): Exercise {
  const saying = specimenOf(contract);
  const head = {
    acq: saying.acquisitionId,
    acqSeq: 1,
    acqPrev: NO_PREVIOUS,
    recordedAt: timeOf(Date.now()),
    salt: Buffer.alloc(SALT_BYTES).toString('base64'),
  };
  const event = Buffer.from(eventBytes(saying, SOURCE)).toString('utf8');
  const bytes = Buffer.from(entryText(head, event), 'utf8');
  return () => readMessage(contract, bytes, undefined);
}

const SOURCE = '/impound/nobody/practice';
const SALT_BYTES = 16;

// SPDX-License-Identifier: Apache-2.0
import type { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import type { StoredObject } from '@impound/contracts/evidence.ts';
import type { Message } from '@impound/runtime/message.ts';
import { type Said, say } from '@impound/runtime/say.ts';
import type { GivenUp } from '@impound/runtime/service.ts';
import { type ReadingBack, readBack } from './read-back.ts';

type Outcome = Said<typeof EvidenceStoredV1 | typeof EvidenceRejectedV1>;

/** Reads every object of a capture back from the store. */
export async function evidenceCaptured(
  message: Message<typeof EvidenceCapturedV1>,
  deps: ReadingBack,
  signal: AbortSignal,
): Promise<Outcome> {
  const { epoch, objects } = message.data;
  const { tenant, acquisitionId, id: cause } = message;
  const scope = { tenant, acquisitionId, sets: [`e${epoch}`] };
  const stored: StoredObject[] = [];
  for (const object of objects) {
    const result = await readBack({ object, scope, cause }, deps, signal);
    if ('code' in result) return say(EvidenceRejectedV1, { epoch, ...result });
    stored.push(result);
  }
  return say(EvidenceStoredV1, { epoch, objects: stored });
}

/** What is said when a capture cannot be read back at all. */
export function captureUnverified(
  message: Message<typeof EvidenceCapturedV1>,
  fault: GivenUp,
): Outcome {
  const because = fault.because.slice(0, BECAUSE_CHARACTERS_MAX) || fault.code;
  return say(EvidenceRejectedV1, { epoch: message.data.epoch, code: fault.code, because });
}

const BECAUSE_CHARACTERS_MAX = 512;

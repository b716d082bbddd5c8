// SPDX-License-Identifier: Apache-2.0
import type { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { ContextStoredV1 } from '@impound/contracts/context/stored.v1.ts';
import type { StoredObject } from '@impound/contracts/evidence.ts';
import type { Message } from '@impound/runtime/message.ts';
import { type Said, say } from '@impound/runtime/say.ts';
import type { GivenUp } from '@impound/runtime/service.ts';
import { isContextSet } from '../domain/opening.ts';
import { type ReadingBack, readBack } from './read-back.ts';

/** Reads every object of a context back from the store; one that is not whole costs no other. */
export async function contextCaptured(
  message: Message<typeof ContextCapturedV1>,
  deps: ReadingBack,
  signal: AbortSignal,
): Promise<Said<typeof ContextStoredV1>> {
  const { tenant, acquisitionId, id: cause } = message;
  const objects: StoredObject[] = [];
  const lost: string[] = [];
  for (const object of message.data.objects) {
    const sets = [object.key.split('/').at(-2) ?? ''].filter(isContextSet);
    const scope = { tenant, acquisitionId, sets };
    const result = await readBack({ object, scope, cause }, deps, signal);
    if ('code' in result) lost.push(sentence(result));
    else objects.push(result);
  }
  return say(ContextStoredV1, { objects, lost });
}

/** A context that cannot be read back at all is lost, and nobody waits for it. */
export function contextUnverified(
  message: Message<typeof ContextCapturedV1>,
  fault: GivenUp,
): Said<typeof ContextStoredV1> {
  const lost = message.data.objects.map(({ key }) =>
    sentence({ code: fault.code, because: `${key}: ${fault.because}` }),
  );
  return say(ContextStoredV1, { objects: [], lost });
}

const LOST_CHARACTERS_MAX = 512;

function sentence({ code, because }: { readonly code: string; readonly because: string }): string {
  return `${code}: ${because}`.slice(0, LOST_CHARACTERS_MAX);
}

// SPDX-License-Identifier: Apache-2.0
import type { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** The capture was verified: the seal follows. */
export async function evidenceStored(
  message: Message<typeof EvidenceStoredV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

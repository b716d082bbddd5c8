// SPDX-License-Identifier: Apache-2.0
import type { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** The capture did not hold: the next attempt or the end follows. */
export async function evidenceRejected(
  message: Message<typeof EvidenceRejectedV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

// SPDX-License-Identifier: Apache-2.0
import type { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** An epoch ended with a capture: the uploader has the word. */
export async function evidenceCaptured(
  message: Message<typeof EvidenceCapturedV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

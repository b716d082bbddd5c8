// SPDX-License-Identifier: Apache-2.0
import type { CancellationRequestedV1 } from '@impound/contracts/cancellation/requested.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** Somebody wants it stopped: the end follows, at once or after a grace. */
export async function cancellationRequested(
  message: Message<typeof CancellationRequestedV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

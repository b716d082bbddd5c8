// SPDX-License-Identifier: Apache-2.0
import type { ContextStoredV1 } from '@impound/contracts/context/stored.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** The context was verified: an end that waited for it may follow. */
export async function contextStored(
  message: Message<typeof ContextStoredV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

// SPDX-License-Identifier: Apache-2.0
import type { ExecutionLapsedV1 } from '@impound/contracts/execution/lapsed.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** An epoch was ended from here: the next attempt or the end follows. */
export async function executionLapsed(
  message: Message<typeof ExecutionLapsedV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

// SPDX-License-Identifier: Apache-2.0
import type { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** An executor has claimed its epoch: the lease runs. */
export async function executionStarted(
  message: Message<typeof ExecutionStartedV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

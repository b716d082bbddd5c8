// SPDX-License-Identifier: Apache-2.0
import type { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** Discovery found the container: one of the two things an assignment needs. */
export async function targetResolved(
  message: Message<typeof TargetResolvedV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

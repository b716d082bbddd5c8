// SPDX-License-Identifier: Apache-2.0
import type { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** Discovery did not find the container: the end follows. */
export async function targetMissing(
  message: Message<typeof TargetMissingV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

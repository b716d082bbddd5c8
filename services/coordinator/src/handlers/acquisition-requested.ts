// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** A chain begins: it may join an older one, and its deadline runs. */
export async function acquisitionRequested(
  message: Message<typeof AcquisitionRequestedV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

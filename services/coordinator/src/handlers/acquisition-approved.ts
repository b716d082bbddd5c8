// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionApprovedV1 } from '@impound/contracts/acquisition/approved.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** A second person agreed: the first assignment may follow. */
export async function acquisitionApproved(
  message: Message<typeof AcquisitionApprovedV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

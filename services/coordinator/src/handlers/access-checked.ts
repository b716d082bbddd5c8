// SPDX-License-Identifier: Apache-2.0
import type { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import type { Advance } from '../domain/coordinating.ts';

/** The ladder is known: the first assignment may follow. */
export async function accessChecked(
  message: Message<typeof AccessCheckedV1>,
  deps: { readonly chains: Advance },
  signal: AbortSignal,
): Promise<Said<never> | undefined> {
  await deps.chains.advance(message, signal);
  return undefined;
}

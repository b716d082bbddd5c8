// SPDX-License-Identifier: Apache-2.0
import type { EventContract } from '@impound/contracts/event.ts';
import type { Message } from '@impound/runtime/message.ts';
import { type CallbackDeps, callBack } from './callback-failed.ts';
import type { ChainOf } from './chain-read.ts';

/** Whatever ends an acquisition is told to whoever asked for it. */
export async function acquisitionEnded(
  { id, tenant, acquisitionId }: Message<EventContract>,
  deps: CallbackDeps,
  signal: AbortSignal,
) {
  const of = { tenant, acquisitionId } as ChainOf;
  return await callBack({ of, about: id, attempt: 1 }, deps, signal);
}

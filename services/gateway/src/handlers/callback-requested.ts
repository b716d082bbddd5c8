// SPDX-License-Identifier: Apache-2.0
import type { CallbackRequestedV1 } from '@impound/contracts/callback/requested.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import { type CallbackDeps, callBack } from './callback-failed.ts';
import type { ChainOf } from './chain-read.ts';

/** A callback that somebody wants sent again is sent again, by what the integration says now. */
export async function callbackRequested(
  { tenant, acquisitionId, data }: Message<typeof CallbackRequestedV1>,
  deps: CallbackDeps,
  signal: AbortSignal,
) {
  const of = { tenant, acquisitionId } as ChainOf;
  return await callBack({ of, about: data.about, attempt: data.attempt }, deps, signal);
}

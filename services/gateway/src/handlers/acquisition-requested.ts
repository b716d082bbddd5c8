// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import { type CallbackDeps, callBack } from './callback-failed.ts';
import type { ChainOf } from './chain-read.ts';

/** A request that waits for a second person is told to whoever asked, to go and find one. */
export async function acquisitionRequested(
  { id, tenant, acquisitionId, data }: Message<typeof AcquisitionRequestedV1>,
  deps: CallbackDeps,
  signal: AbortSignal,
) {
  if (data.policy.decision !== 'approval-required') return undefined;
  const of = { tenant, acquisitionId } as ChainOf;
  return await callBack({ of, about: id, attempt: 1 }, deps, signal);
}

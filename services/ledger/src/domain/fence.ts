// SPDX-License-Identifier: Apache-2.0
import type { ChainHead } from './head.ts';
import type { Say } from './say.ts';

/** Why an event stands outside the fence. */
export interface Fenced {
  readonly code: 'no-epoch' | 'epoch-over' | 'claimed-already' | 'not-the-holder';
  readonly because: string;
}

/** Holds what only the holder of an epoch may say against the epoch that is live. */
export function fencedBy(say: Say, head: ChainHead): Fenced | undefined {
  const { fence } = say.contract;
  if (fence === undefined) return undefined;
  const { epoch, worker } = say.event.data;
  if (!head.live) return { code: 'no-epoch', because: `epoch ${epoch} is not live: none is` };
  if (epoch !== head.epoch) {
    return { code: 'epoch-over', because: `epoch ${epoch} is over, epoch ${head.epoch} is live` };
  }
  if (fence === 'claim') {
    if (head.claimedBy === undefined) return undefined;
    return { code: 'claimed-already', because: `epoch ${epoch} is held by ${head.claimedBy}` };
  }
  if (worker === head.claimedBy) return undefined;
  const holder = head.claimedBy ?? 'nobody';
  return { code: 'not-the-holder', because: `epoch ${epoch} is held by ${holder}, not ${worker}` };
}

/** Why an event cannot follow where a chain has ended, or an epoch cannot begin. */
export function outOfOrder(say: Say, head: ChainHead): string | undefined {
  const assigns = say.event.type === 'acquisition.assigned.v1';
  if (head.ended !== undefined && (say.contract.ends || assigns)) {
    return `the acquisition has ended with ${head.ended}`;
  }
  if (!assigns) return undefined;
  if (head.live) return `epoch ${head.epoch} is live`;
  const next = head.epoch + 1;
  return say.event.data['epoch'] === next ? undefined : `the next epoch is ${next}`;
}

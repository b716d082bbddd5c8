// SPDX-License-Identifier: Apache-2.0
import { endsAcquisition } from '@impound/contracts/chain.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';

/** Where one chain stands: all that is needed to decide what may follow. */
export interface ChainHead {
  readonly tenant: string;
  readonly caseId: string;
  readonly version: number;
  /** Leaf hash of the last entry, lower-case hex. */
  readonly last: string;
  /** The epoch of the last assignment; 0: there was none. */
  readonly epoch: number;
  /** Whether that epoch's holder may act: the rule of liveExecution() in contracts/chain.ts. */
  readonly live: boolean;
  readonly claimedBy?: string | undefined;
  readonly cancelled: boolean;
  /** The type of the event that ended the chain. */
  readonly ended?: string | undefined;
}

/** What an event changes beside version and last hash, where it changes something. */
type Change = (head: ChainHead, data: Record<string, unknown>) => Partial<ChainHead>;

const overIn: Change = (head, data) => (data['epoch'] === head.epoch ? { live: false } : {});

const CHANGES: Readonly<Record<string, Change>> = {
  'acquisition.assigned.v1': (_head, data) => ({
    epoch: Number(data['epoch']),
    live: true,
    claimedBy: undefined,
  }),
  'execution.started.v1': (head, data) =>
    data['epoch'] === head.epoch ? { claimedBy: String(data['worker']) } : {},
  'execution.failed.v1': overIn,
  'execution.lapsed.v1': overIn,
  'evidence.captured.v1': overIn,
  'cancellation.requested.v1': () => ({ cancelled: true }),
};

/** The head before the first entry of a chain, which `event` begins. */
export function firstHead(event: Envelope): ChainHead {
  return {
    tenant: event.tenant,
    caseId: String(event.data['caseId'] ?? ''),
    version: 0,
    last: '',
    epoch: 0,
    live: false,
    cancelled: false,
  };
}

/** The head after one more entry. */
export function moved(
  head: ChainHead,
  event: Envelope,
  to: { readonly version: number; readonly last: string },
): ChainHead {
  const next = { ...head, ...to };
  if (endsAcquisition(event.type)) {
    return { ...next, ended: head.ended ?? event.type, live: false };
  }
  return { ...next, ...CHANGES[event.type]?.(head, event.data) };
}

/** Whether whoever works on this chain is to stop. */
export function isToStop(head: ChainHead): boolean {
  return head.cancelled || head.ended !== undefined;
}

// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { Entry } from '@impound/contracts/entry.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import type { DataOf, EventContract } from '@impound/contracts/event.ts';
import type { AcquisitionId, Tenant } from '@impound/contracts/ids.ts';
import { SEQ } from '@impound/contracts/say.ts';
import type { MsgHdrs } from '@nats-io/transport-node';
import { jsonOf } from './ask.ts';
import { Never } from './fault.ts';

/** A recorded event as a handler gets it: already committed, checked against its contract. */
export interface Message<C extends EventContract = EventContract> {
  readonly id: string;
  readonly type: string;
  readonly tenant: Tenant;
  readonly acquisitionId: AcquisitionId;
  /** The chain's version with this entry. */
  readonly version: number;
  /** Index in the log. */
  readonly seq: number;
  /** The leaf hash of the bytes that were heard. */
  readonly entryHash: string;
  /** When the ledger recorded it. */
  readonly recordedAt: string;
  readonly data: DataOf<C>;
  readonly event: Envelope;
  /** All that was hashed. */
  readonly entry: Entry;
}

/** Code of an event whose subject is right and whose version is another one: for another hearer. */
export const OTHER_VERSION = 'other-version';

/** Reads what the ledger has published. Throws Never where it is not what the contract says. */
export function readMessage<C extends EventContract>(
  contract: C,
  bytes: Uint8Array,
  headers: MsgHdrs | undefined,
): Message<C> {
  const entry = Entry.safeParse(jsonOf(bytes));
  if (!entry.success) throw new Never('no-entry', `${contract.type}: not an entry of the ledger`);
  const { event } = entry.data;
  if (event.type !== contract.type) {
    throw new Never(OTHER_VERSION, `${event.id} is ${event.type}, not ${contract.type}`);
  }
  const data = contract.shape.safeParse(event.data);
  if (event.subject !== entry.data.acq || !data.success) {
    throw new Never('no-such-event', `${event.id} is no ${contract.type}`);
  }
  return {
    id: event.id,
    type: event.type,
    tenant: event.tenant,
    acquisitionId: entry.data.acq,
    version: entry.data.acqSeq,
    seq: Number(headers?.get(SEQ)) || 0,
    entryHash: leafHash(bytes),
    recordedAt: entry.data.recordedAt,
    data: data.data as DataOf<C>,
    event,
    entry: entry.data,
  };
}

/** RFC 6962 section 2.1: what is hashed as a leaf begins with a zero byte. */
function leafHash(entry: Uint8Array): string {
  return hash('sha256', Buffer.concat([LEAF_PREFIX, entry]), 'hex');
}

const LEAF_PREFIX = Buffer.of(0);

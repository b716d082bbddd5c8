// SPDX-License-Identifier: Apache-2.0
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { CallbackFailedV1 } from '@impound/contracts/callback/failed.v1.ts';
import { CallbackRequestedV1 } from '@impound/contracts/callback/requested.v1.ts';
import { CancellationRequestedV1 } from '@impound/contracts/cancellation/requested.v1.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { EVENTS } from '@impound/contracts/events.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionLapsedV1 } from '@impound/contracts/execution/lapsed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { PARTIES } from '@impound/contracts/parties.ts';

const BY_TYPE: ReadonlyMap<string, EventContract> = new Map(EVENTS.map((one) => [one.type, one]));

/** The contract of an event type that the ledger records; undefined: no such event. */
export function contractOf(type: string): EventContract | undefined {
  return BY_TYPE.get(type);
}

/** Whether the table of parties lets this service say this event at the ledger's door. */
export function maySay(service: string, type: string): boolean {
  if (service === 'ledger' || !Object.hasOwn(PARTIES, service)) return false;
  return PARTIES[service]?.says.includes(type) ?? false;
}

/** The types whose entries decide what may be said next in a chain: what a head is read from. */
export const DECIDING_TYPES: readonly string[] = [
  AcquisitionAssignedV1.type,
  CancellationRequestedV1.type,
  EvidenceCapturedV1.type,
  ExecutionFailedV1.type,
  ExecutionLapsedV1.type,
  ExecutionStartedV1.type,
  ...EVENTS.flatMap((one) => (one.begins || one.ends ? [one.type] : [])),
];

const HEARD = new Set(Object.values(PARTIES).flatMap(({ hears }) => hears));

/** What is heard of a chain that has ended: the end, and that somebody is still to be told. */
export const AFTER_THE_END: readonly string[] = [
  ...EVENTS.flatMap(({ type, ends }) => (ends && HEARD.has(type) ? [type] : [])),
  CallbackFailedV1.type,
  CallbackRequestedV1.type,
];

// SPDX-License-Identifier: Apache-2.0
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionApprovedV1 } from '@impound/contracts/acquisition/approved.v1.ts';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionCancelledV1 } from '@impound/contracts/acquisition/cancelled.v1.ts';
import { AcquisitionExpiredV1 } from '@impound/contracts/acquisition/expired.v1.ts';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { AcquisitionJoinedV1 } from '@impound/contracts/acquisition/joined.v1.ts';
import { AcquisitionRefusedV1 } from '@impound/contracts/acquisition/refused.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { CancellationRequestedV1 } from '@impound/contracts/cancellation/requested.v1.ts';
import { ConflictNoticedV1 } from '@impound/contracts/conflict/noticed.v1.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { EvidenceAccessedV1 } from '@impound/contracts/evidence/accessed.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionFencedV1 } from '@impound/contracts/execution/fenced.v1.ts';
import { ExecutionLapsedV1 } from '@impound/contracts/execution/lapsed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { PARTIES } from '@impound/contracts/parties.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';

const ALL: readonly EventContract[] = [
  AccessCheckedV1,
  AcquisitionApprovedV1,
  AcquisitionAssignedV1,
  AcquisitionCancelledV1,
  AcquisitionExpiredV1,
  AcquisitionFailedV1,
  AcquisitionJoinedV1,
  AcquisitionRefusedV1,
  AcquisitionRequestedV1,
  AcquisitionSealedV1,
  CancellationRequestedV1,
  ConflictNoticedV1,
  EvidenceAccessedV1,
  EvidenceCapturedV1,
  EvidenceRejectedV1,
  EvidenceStoredV1,
  ExecutionFailedV1,
  ExecutionFencedV1,
  ExecutionLapsedV1,
  ExecutionStartedV1,
  TargetMissingV1,
  TargetResolvedV1,
];

const BY_TYPE: ReadonlyMap<string, EventContract> = new Map(ALL.map((one) => [one.type, one]));

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
  ...ALL.flatMap((one) => (one.begins || one.ends ? [one.type] : [])),
];

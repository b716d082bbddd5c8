// SPDX-License-Identifier: Apache-2.0
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { AcquisitionJoinedV1 } from '@impound/contracts/acquisition/joined.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { CancellationRequestedV1 } from '@impound/contracts/cancellation/requested.v1.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { ContextStoredV1 } from '@impound/contracts/context/stored.v1.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionLapsedV1 } from '@impound/contracts/execution/lapsed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';

const CONTRACTS: readonly EventContract[] = [
  AccessCheckedV1,
  AcquisitionAssignedV1,
  AcquisitionFailedV1,
  AcquisitionJoinedV1,
  AcquisitionRequestedV1,
  AcquisitionSealedV1,
  CancellationRequestedV1,
  ContextCapturedV1,
  ContextStoredV1,
  EvidenceCapturedV1,
  EvidenceRejectedV1,
  EvidenceStoredV1,
  ExecutionFailedV1,
  ExecutionLapsedV1,
  ExecutionStartedV1,
  TargetMissingV1,
  TargetResolvedV1,
];

const SHAPES = new Map(CONTRACTS.map(({ type, shape }) => [type, shape]));

/** Whether the data of an event can be folded: what its contract says, or of no known type. */
export function isFoldable({ type, data }: { readonly type: string; readonly data: unknown }) {
  return SHAPES.get(type)?.safeParse(data).success ?? true;
}

// SPDX-License-Identifier: Apache-2.0
import { AccessCheckedV1 } from './access/checked.v1.ts';
import { AcquisitionApprovedV1 } from './acquisition/approved.v1.ts';
import { AcquisitionAssignedV1 } from './acquisition/assigned.v1.ts';
import { AcquisitionCancelledV1 } from './acquisition/cancelled.v1.ts';
import { AcquisitionDeniedV1 } from './acquisition/denied.v1.ts';
import { AcquisitionExpiredV1 } from './acquisition/expired.v1.ts';
import { AcquisitionFailedV1 } from './acquisition/failed.v1.ts';
import { AcquisitionJoinedV1 } from './acquisition/joined.v1.ts';
import { AcquisitionRefusedV1 } from './acquisition/refused.v1.ts';
import { AcquisitionRequestedV1 } from './acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from './acquisition/sealed.v1.ts';
import { AcquisitionTriggeredV1 } from './acquisition/triggered.v1.ts';
import { AuditDeniedV1 } from './audit/denied.v1.ts';
import { AuditReadV1 } from './audit/read.v1.ts';
import { CallbackDeliveredV1 } from './callback/delivered.v1.ts';
import { CallbackFailedV1 } from './callback/failed.v1.ts';
import { CallbackRequestedV1 } from './callback/requested.v1.ts';
import { CancellationRequestedV1 } from './cancellation/requested.v1.ts';
import { CheckpointStampedV1 } from './checkpoint/stamped.v1.ts';
import { ConflictNoticedV1 } from './conflict/noticed.v1.ts';
import { ContextCapturedV1 } from './context/captured.v1.ts';
import { ContextStoredV1 } from './context/stored.v1.ts';
import type { EventContract } from './event.ts';
import { EvidenceAccessedV1 } from './evidence/accessed.v1.ts';
import { EvidenceCapturedV1 } from './evidence/captured.v1.ts';
import { EvidenceInspectedV1 } from './evidence/inspected.v1.ts';
import { EvidenceRejectedV1 } from './evidence/rejected.v1.ts';
import { EvidenceStoredV1 } from './evidence/stored.v1.ts';
import { ExecutionFailedV1 } from './execution/failed.v1.ts';
import { ExecutionFencedV1 } from './execution/fenced.v1.ts';
import { ExecutionLapsedV1 } from './execution/lapsed.v1.ts';
import { ExecutionStartedV1 } from './execution/started.v1.ts';
import { GuardsBrokenV1 } from './guards/broken.v1.ts';
import { HeadsRootedV1 } from './heads/rooted.v1.ts';
import { KeyRegisteredV1 } from './key/registered.v1.ts';
import { KeyRetiredV1 } from './key/retired.v1.ts';
import { LogBeganV1 } from './log/began.v1.ts';
import { PermissionDeniedV1 } from './permission/denied.v1.ts';
import { SignerRegisteredV1 } from './signer/registered.v1.ts';
import { SignerRetiredV1 } from './signer/retired.v1.ts';
import { TargetMissingV1 } from './target/missing.v1.ts';
import { TargetResolvedV1 } from './target/resolved.v1.ts';

/** Every event there is. Made by `npm run generate` from the files of the events. */
export const EVENTS: readonly EventContract[] = [
  AccessCheckedV1,
  AcquisitionApprovedV1,
  AcquisitionAssignedV1,
  AcquisitionCancelledV1,
  AcquisitionDeniedV1,
  AcquisitionExpiredV1,
  AcquisitionFailedV1,
  AcquisitionJoinedV1,
  AcquisitionRefusedV1,
  AcquisitionRequestedV1,
  AcquisitionSealedV1,
  AcquisitionTriggeredV1,
  AuditDeniedV1,
  AuditReadV1,
  CallbackDeliveredV1,
  CallbackFailedV1,
  CallbackRequestedV1,
  CancellationRequestedV1,
  CheckpointStampedV1,
  ConflictNoticedV1,
  ContextCapturedV1,
  ContextStoredV1,
  EvidenceAccessedV1,
  EvidenceCapturedV1,
  EvidenceInspectedV1,
  EvidenceRejectedV1,
  EvidenceStoredV1,
  ExecutionFailedV1,
  ExecutionFencedV1,
  ExecutionLapsedV1,
  ExecutionStartedV1,
  GuardsBrokenV1,
  HeadsRootedV1,
  KeyRegisteredV1,
  KeyRetiredV1,
  LogBeganV1,
  PermissionDeniedV1,
  SignerRegisteredV1,
  SignerRetiredV1,
  TargetMissingV1,
  TargetResolvedV1,
];

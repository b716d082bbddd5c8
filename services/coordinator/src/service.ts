// SPDX-License-Identifier: Apache-2.0

import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionApprovedV1 } from '@impound/contracts/acquisition/approved.v1.ts';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionCancelledV1 } from '@impound/contracts/acquisition/cancelled.v1.ts';
import { AcquisitionExpiredV1 } from '@impound/contracts/acquisition/expired.v1.ts';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { AcquisitionJoinedV1 } from '@impound/contracts/acquisition/joined.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { CancellationRequestedV1 } from '@impound/contracts/cancellation/requested.v1.ts';
import { ContextStoredV1 } from '@impound/contracts/context/stored.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionLapsedV1 } from '@impound/contracts/execution/lapsed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { codeOf, messageOf } from '@impound/runtime/fault.ts';
import { on, service } from '@impound/runtime/service.ts';
import { watchProgress } from '@impound/runtime/watch.ts';
import { busLedger } from './adapters/bus-ledger.ts';
import { wallClock } from './adapters/wall-clock.ts';
import { config } from './config.ts';
import { coordinating } from './domain/coordinating.ts';
import { accessChecked } from './handlers/access-checked.ts';
import { acquisitionApproved } from './handlers/acquisition-approved.ts';
import { acquisitionRequested } from './handlers/acquisition-requested.ts';
import { cancellationRequested } from './handlers/cancellation-requested.ts';
import { contextStored } from './handlers/context-stored.ts';
import { evidenceCaptured } from './handlers/evidence-captured.ts';
import { evidenceRejected } from './handlers/evidence-rejected.ts';
import { evidenceStored } from './handlers/evidence-stored.ts';
import { executionFailed } from './handlers/execution-failed.ts';
import { executionLapsed } from './handlers/execution-lapsed.ts';
import { executionStarted } from './handlers/execution-started.ts';
import { targetMissing } from './handlers/target-missing.ts';
import { targetResolved } from './handlers/target-resolved.ts';

/** Decides what happens next to every acquisition, from its chain and the time alone. */
export const coordinator = service({
  name: 'coordinator',
  config,
  open: async (_config, _scope, house) => {
    const { log, stopping } = house;
    const troubled = (error: unknown) =>
      log.warn('open chains not seen', { code: codeOf(error), because: messageOf(error) });
    const clock = wallClock({ troubled }, stopping);
    const ledger = busLedger(house);
    const chains = coordinating({ ledger, clock: clock.nowMs, wake: clock.wake, log });
    watchProgress(house, {}, chains.heard, stopping);
    clock.drive(chains);
    return { chains };
  },
  says: [
    AcquisitionAssignedV1,
    AcquisitionJoinedV1,
    AcquisitionSealedV1,
    AcquisitionFailedV1,
    AcquisitionCancelledV1,
    AcquisitionExpiredV1,
    ExecutionLapsedV1,
  ],
  hears: [
    on(AcquisitionRequestedV1, acquisitionRequested),
    on(AcquisitionApprovedV1, acquisitionApproved),
    on(CancellationRequestedV1, cancellationRequested),
    on(TargetResolvedV1, targetResolved),
    on(TargetMissingV1, targetMissing),
    on(ContextStoredV1, contextStored),
    on(AccessCheckedV1, accessChecked),
    on(ExecutionStartedV1, executionStarted),
    on(ExecutionFailedV1, executionFailed),
    on(ExecutionLapsedV1, executionLapsed),
    on(EvidenceCapturedV1, evidenceCaptured),
    on(EvidenceStoredV1, evidenceStored),
    on(EvidenceRejectedV1, evidenceRejected),
  ],
  answers: [],
});

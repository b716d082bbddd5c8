// SPDX-License-Identifier: Apache-2.0
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { clustersFrom } from '@impound/kubernetes/clusters.ts';
import { loadClient } from '@impound/kubernetes/connection.ts';
import { on, service } from '@impound/runtime/service.ts';
import { kubernetesAccess } from './adapters/kubernetes-access.ts';
import { config } from './config.ts';
import { acquisitionRequested } from './handlers/acquisition-requested.ts';
import { accessUnknown, targetMissing } from './handlers/target-missing.ts';
import { accessUnchecked, targetResolved } from './handlers/target-resolved.ts';

/** Says beforehand which methods can work on a target, and what is missing for the others. */
export const rbacChecker = service({
  name: 'rbac-checker',
  config,
  open: async (config, _scope, { stopping }) => {
    const access = kubernetesAccess(clustersFrom(config.CLUSTERS_FILE), stopping);
    return { access, foresight: access, ephemeral: config.EPHEMERAL_IMAGE !== undefined };
  },
  says: [AccessCheckedV1],
  hears: [
    on(AcquisitionRequestedV1, acquisitionRequested),
    on(TargetResolvedV1, targetResolved, accessUnchecked),
    on(TargetMissingV1, targetMissing, accessUnknown),
  ],
  answers: [],
  practice: async () => {
    await loadClient();
    return [];
  },
});

// SPDX-License-Identifier: Apache-2.0
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { clustersFrom } from '@impound/kubernetes/clusters.ts';
import { on, service } from '@impound/runtime/service.ts';
import { kubernetesAccess } from './adapters/kubernetes-access.ts';
import { config } from './config.ts';
import { accessUnchecked, targetResolved } from './handlers/target-resolved.ts';

/** Says beforehand which methods can work on a target, and what is missing for the others. */
export const rbacChecker = service({
  name: 'rbac-checker',
  config,
  open: async (config) => ({
    access: kubernetesAccess(clustersFrom(config.CLUSTERS_FILE)),
    ephemeral: config.EPHEMERAL_IMAGE !== undefined,
  }),
  says: [AccessCheckedV1],
  hears: [on(TargetResolvedV1, targetResolved, accessUnchecked)],
  answers: [],
});

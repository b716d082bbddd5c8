// SPDX-License-Identifier: Apache-2.0
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { DiscoveryListV1 } from '@impound/contracts/ask/discovery.list.v1.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { clustersFrom } from '@impound/kubernetes/clusters.ts';
import { loadClient } from '@impound/kubernetes/connection.ts';
import { answer, on, service } from '@impound/runtime/service.ts';
import { kubernetesContext } from './adapters/kubernetes-context.ts';
import { kubernetesPods } from './adapters/kubernetes-pods.ts';
import { config } from './config.ts';
import { acquisitionRequested, targetUnfound } from './handlers/acquisition-requested.ts';
import { discoveryList } from './handlers/discovery-list.ts';
import { contextUncaptured, targetResolved } from './handlers/target-resolved.ts';

/** Finds what is to be acquired, and keeps what the control plane knows of it before it is gone. */
export const discovery = service({
  name: 'discovery',
  config,
  open: async (config, _scope, house) => {
    const clusters = clustersFrom(config.CLUSTERS_FILE);
    const pods = kubernetesPods(clusters);
    return { pods, inventory: pods, context: kubernetesContext(clusters, house) };
  },
  says: [TargetResolvedV1, TargetMissingV1, ContextCapturedV1],
  hears: [
    on(AcquisitionRequestedV1, acquisitionRequested, targetUnfound),
    on(TargetResolvedV1, targetResolved, contextUncaptured),
  ],
  answers: [answer(DiscoveryListV1, discoveryList)],
  practice: async () => {
    await loadClient();
    return [];
  },
});

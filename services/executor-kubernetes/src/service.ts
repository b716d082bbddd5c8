// SPDX-License-Identifier: Apache-2.0
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { claim } from '@impound/executor/claim.ts';
import { uploaderStore } from '@impound/executor/uploader-store.ts';
import { collectBy, collectByFailed, type Ways } from '@impound/executor/ways.ts';
import { clustersFrom } from '@impound/kubernetes/clusters.ts';
import { debuggerShell } from '@impound/kubernetes/debugger/shell.ts';
import { kubernetesPresence } from '@impound/kubernetes/presence.ts';
import { kubernetesShell } from '@impound/kubernetes/shell.ts';
import { job, service } from '@impound/runtime/service.ts';
import { config } from './config.ts';

/** Collections that one process runs at once: each costs an exec stream and its memory. */
const SLOTS = 4;

/**
 * Collects from containers of any cluster that a kubeconfig reaches: over the exec channel, or
 * from an ephemeral container where the image has no shell.
 */
export const executorKubernetes = service({
  name: 'executor-kubernetes',
  config,
  open: async (config, _scope, house): Promise<Ways> => {
    const clusters = clustersFrom(config.CLUSTERS_FILE);
    const { EPHEMERAL_IMAGE: image, EPHEMERAL_PTRACE } = config;
    const terms = { image, ptraceAllowed: EPHEMERAL_PTRACE === 'true' };
    return {
      shell: kubernetesShell(clusters),
      beside: (attempt) => debuggerShell(clusters, terms, attempt),
      presence: kubernetesPresence(clusters),
      store: uploaderStore(house, { waitMs: config.STORE_WAIT_SECONDS * 1_000 }),
    };
  },
  says: [ExecutionStartedV1, EvidenceCapturedV1, ExecutionFailedV1],
  hears: [
    job(
      AcquisitionAssignedV1,
      { route: 'kubernetes', slots: SLOTS, claim, otherwise: collectByFailed },
      collectBy,
    ),
  ],
  answers: [],
});

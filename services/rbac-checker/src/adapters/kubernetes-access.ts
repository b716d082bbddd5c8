// SPDX-License-Identifier: Apache-2.0
import { type Right, rightText } from '@impound/contracts/permissions.ts';
import type { FoundTarget } from '@impound/contracts/target.ts';
import { reviewAccess } from '@impound/kubernetes/access.ts';
import type { Clusters } from '@impound/kubernetes/clusters.ts';
import { isPermanent } from '@impound/kubernetes/permanence.ts';
import { Later, messageOf, Never } from '@impound/runtime/fault.ts';
import type { AccessReview } from '../handlers/target-resolved.ts';

/**
 * Asks the cluster with SelfSubjectAccessReview, for this pod by name: a role with resourceNames
 * denies the review that leaves the name out.
 * https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/
 */
export function kubernetesAccess(clusters: Clusters): AccessReview {
  return {
    executor: (cluster) => clusters.executor(cluster).catch(translated),
    granted: async (target: FoundTarget, rights: readonly Right[], signal: AbortSignal) => {
      const connection = await clusters.connection(target.cluster).catch(translated);
      const asked = rights.map(({ clusterWide, ...right }) =>
        clusterWide ? right : { ...right, namespace: target.namespace, name: target.pod },
      );
      const answers = await reviewAccess(connection, asked, signal);
      return new Map(
        rights.map((right, i) => {
          const { verdict = 'unknown', reason = 'not asked' } = answers[i] ?? {};
          return [rightText(right), { right, verdict, reason }];
        }),
      );
    },
  };
}

const AGAIN_MS = 1_000;

function translated(cause: unknown): never {
  if (isPermanent(cause)) throw new Never(cause.code, cause.message, { cause });
  throw new Later('cluster-unreachable', AGAIN_MS, messageOf(cause), { cause });
}

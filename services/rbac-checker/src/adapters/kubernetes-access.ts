// SPDX-License-Identifier: Apache-2.0
import { type Right, rightText } from '@impound/contracts/permissions.ts';
import { reviewAccess, reviewSelf } from '@impound/kubernetes/access.ts';
import type { Clusters } from '@impound/kubernetes/clusters.ts';
import { isPermanent } from '@impound/kubernetes/permanence.ts';
import { Later, messageOf, Never } from '@impound/runtime/fault.ts';
import type { Grants } from '../domain/ladder.ts';
import type { Foresight, NamedPod } from '../handlers/acquisition-requested.ts';
import type { AccessReview } from '../handlers/target-resolved.ts';

/**
 * Asks the cluster with SelfSubjectAccessReview, for this pod by name: a role with resourceNames
 * denies the review that leaves the name out.
 * https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/
 */
export function kubernetesAccess(
  clusters: Clusters,
  stopping: AbortSignal,
): AccessReview & Foresight {
  const foreseen = new Map<string, Foreseen>();
  return {
    executor: (cluster) => clusters.executor(cluster).catch(translated),
    account: async (cluster, signal) => {
      const connection = await clusters.connection(cluster).catch(translated);
      return await reviewSelf(connection, signal);
    },
    foresee: (acquisitionId, pod, rights) => {
      forgetOld(foreseen);
      if (foreseen.size >= FORESEEN_MAX) return;
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(FRESH_MS_MAX)]);
      const grants = asked(clusters, { pod, rights }, signal);
      // Whoever needs to know asks again then.
      const answered = grants.catch(() => undefined);
      foreseen.set(acquisitionId, { askedAt: performance.now(), pod, grants: answered });
    },
    granted: async ({ acquisitionId, target, rights }, signal) => {
      forgetOld(foreseen);
      const known = foreseen.get(acquisitionId);
      foreseen.delete(acquisitionId);
      const grants = known && isSame(known.pod, target) ? await known.grants : undefined;
      return grants ?? (await asked(clusters, { pod: target, rights }, signal));
    },
  };
}

/** What was asked ahead for one acquisition; undefined where it was not answered. */
interface Foreseen {
  readonly askedAt: number;
  readonly pod: NamedPod;
  readonly grants: Promise<Grants | undefined>;
}

/**
 * An answer may be as old as this, which does no harm: what was taken away meanwhile is refused
 * when it is tried, and whoever asks after a grant is asked for anew.
 */
const FRESH_MS_MAX = 5_000;
/** Where more wait to be found than this, to ask ahead would only ask twice. */
const FORESEEN_MAX = 32;

function forgetOld(foreseen: Map<string, Foreseen>): void {
  const oldest = performance.now() - FRESH_MS_MAX;
  for (const [id, { askedAt }] of foreseen) if (askedAt < oldest) foreseen.delete(id);
}

function isSame(one: NamedPod, other: NamedPod): boolean {
  const { cluster, namespace, pod } = other;
  return one.cluster === cluster && one.namespace === namespace && one.pod === pod;
}

async function asked(
  clusters: Clusters,
  { pod, rights }: { readonly pod: NamedPod; readonly rights: readonly Right[] },
  signal: AbortSignal,
): Promise<Grants> {
  const connection = await clusters.connection(pod.cluster).catch(translated);
  const wanted = rights.map(({ clusterWide, ...right }) =>
    clusterWide ? right : { ...right, namespace: pod.namespace, name: pod.pod },
  );
  const answers = await reviewAccess(connection, wanted, signal);
  return new Map(
    rights.map((right, i) => {
      const { verdict = 'unknown', reason = 'not asked' } = answers[i] ?? {};
      return [rightText(right), { right, verdict, reason }];
    }),
  );
}

const AGAIN_MS = 1_000;

function translated(cause: unknown): never {
  if (isPermanent(cause)) throw new Never(cause.code, cause.message, { cause });
  throw new Later('cluster-unreachable', AGAIN_MS, messageOf(cause), { cause });
}

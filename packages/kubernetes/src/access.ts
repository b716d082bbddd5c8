// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { postJson } from './api.ts';
import type { ClusterConnection } from './connection.ts';
import { abortedFault, KubernetesFault, quote } from './fault.ts';

/** One thing that somebody may be allowed to do. `pods/exec` is resource pods, subresource exec. */
export interface Right {
  readonly verb: string;
  /** API group, empty for the core group. */
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  /** Give it where it is known: roles with resourceNames deny the review that leaves it out. */
  readonly name?: string | undefined;
}

/** What the cluster says about one right, and why. */
export interface AccessAnswer {
  readonly right: Right;
  readonly verdict: 'allowed' | 'denied' | 'unknown';
  /** One plain sentence; text of the cluster in it is bounded. */
  readonly reason: string;
}

/** Most rights that one review asks for. */
export const RIGHTS_MAX = 64;

/** Reviews that are under way at the same time. */
const REVIEWS_AT_ONCE_MAX = 8;

const Review = z.object({
  status: z.object({
    allowed: z.boolean(),
    reason: z.string().catch(''),
    evaluationError: z.string().catch(''),
  }),
});

const SelfReview = z.object({
  status: z.object({ userInfo: z.object({ username: z.string().min(1) }) }),
});

/**
 * Asks the cluster what the connection's user may do, one SelfSubjectAccessReview per right; the
 * answers are in the order of the rights. What cannot be asked is `unknown`, never a guess. Throws
 * only `aborted` and `invalid-request`. Admission (Pod Security, SCC, webhooks) is not asked.
 */
export async function reviewAccess(
  connection: ClusterConnection,
  rights: readonly Right[],
  signal: AbortSignal,
): Promise<readonly AccessAnswer[]> {
  checkRights(rights);
  const answers: AccessAnswer[] = [];
  const asker = withOneLook(connection);
  for (let at = 0; at < rights.length; at += REVIEWS_AT_ONCE_MAX) {
    const some = rights.slice(at, at + REVIEWS_AT_ONCE_MAX);
    answers.push(...(await Promise.all(some.map((right) => review(asker, right, signal)))));
  }
  return answers;
}

/**
 * Asks the cluster who the connection's user is, by SelfSubjectReview, which every authenticated
 * user may create since Kubernetes 1.28. Undefined where the cluster does not say. Throws only
 * `aborted`.
 * https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/
 */
export async function reviewSelf(
  connection: ClusterConnection,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = ['apis', 'authentication.k8s.io', 'v1', 'selfsubjectreviews'];
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  try {
    const { json } = await postJson(connection, { path, body, repeatable: true }, signal);
    return SelfReview.safeParse(json).data?.status.userInfo.username;
  } catch (error) {
    if (signal.aborted) throw abortedFault(signal);
    if (!(error instanceof KubernetesFault)) throw error;
    return undefined;
  }
}

/** Who asks is looked up once for all rights. */
function withOneLook(connection: ClusterConnection): ClusterConnection {
  let options: ReturnType<ClusterConnection['requestOptions']> | undefined;
  return {
    ...connection,
    requestOptions: (signal) => {
      options ??= connection.requestOptions(signal);
      return options;
    },
  };
}

function checkRights(rights: readonly Right[]): void {
  if (rights.length > RIGHTS_MAX) {
    throw new KubernetesFault('invalid-request', `at most ${RIGHTS_MAX} rights in one review`);
  }
  const slashed = rights.find((right) => right.resource.includes('/'));
  if (!slashed) return;
  throw new KubernetesFault(
    'invalid-request',
    `resource ${JSON.stringify(quote(slashed.resource))} never matches; name the part behind the ` +
      'slash as subresource',
  );
}

async function review(
  connection: ClusterConnection,
  right: Right,
  signal: AbortSignal,
): Promise<AccessAnswer> {
  try {
    const call = { path: PATH, body: bodyOf(right), repeatable: true };
    const { json } = await postJson(connection, call, signal);
    return { right, ...verdictOf(json) };
  } catch (error) {
    if (signal.aborted) throw abortedFault(signal);
    if (!(error instanceof KubernetesFault)) throw error;
    return {
      right,
      verdict: 'unknown',
      reason: `the cluster was not able to say: ${error.message}`,
    };
  }
}

const PATH = ['apis', 'authorization.k8s.io', 'v1', 'selfsubjectaccessreviews'] as const;

function bodyOf(right: Right) {
  const { verb, group, resource, subresource, namespace, name } = right;
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb, group, resource, subresource, namespace, name } },
  };
}

function verdictOf(json: unknown): Pick<AccessAnswer, 'verdict' | 'reason'> {
  const parsed = Review.safeParse(json);
  if (!parsed.success) return { verdict: 'unknown', reason: 'the answer is no access review' };
  const { allowed, reason, evaluationError } = parsed.data.status;
  if (allowed) return { verdict: 'allowed', reason: quote(reason) || 'the cluster allows it' };
  if (evaluationError !== '') {
    return {
      verdict: 'unknown',
      reason: `not every authorizer answered: ${quote(evaluationError)}`,
    };
  }
  return { verdict: 'denied', reason: quote(reason) || 'no role grants it' };
}

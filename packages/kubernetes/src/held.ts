// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { postJson } from './api.ts';
import type { ClusterConnection } from './connection.ts';
import { KubernetesFault, quote } from './fault.ts';
import { send } from './request.ts';

/** One rule that a user holds, with the wildcards that it is written with. */
export interface HeldRule {
  readonly verbs: readonly string[];
  readonly groups: readonly string[];
  /** `pods/exec` as it is written; `*` for all. */
  readonly resources: readonly string[];
  /** Empty: all objects. */
  readonly names: readonly string[];
}

/** What a user may do in one namespace, cluster-wide rules included. */
export interface Held {
  readonly rules: readonly HeldRule[];
  /** Why the list is not all: another authorizer than RBAC does not list its rules. */
  readonly incomplete: string | undefined;
}

const RULES_MAX = 5_000;
const words = z.array(z.string()).nullish();

const Review = z.object({
  status: z.object({
    resourceRules: z
      .array(z.object({ verbs: words, apiGroups: words, resources: words, resourceNames: words }))
      .max(RULES_MAX)
      .nullish(),
    incomplete: z.boolean().catch(false),
    evaluationError: z.string().catch(''),
  }),
});

/** Lists what the connection's user may do, by SelfSubjectRulesReview. Throws KubernetesFault. */
export async function heldRules(
  connection: ClusterConnection,
  namespace: string,
  signal: AbortSignal,
): Promise<Held> {
  const path = ['apis', 'authorization.k8s.io', 'v1', 'selfsubjectrulesreviews'];
  const kind = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview' };
  const { json } = await postJson(
    connection,
    { path, body: { ...kind, spec: { namespace } } },
    signal,
  );
  const parsed = Review.safeParse(json);
  if (!parsed.success) {
    const message = 'the answer is no rules review; check that the address is an API server';
    throw new KubernetesFault('malformed-answer', message);
  }
  const { resourceRules, incomplete, evaluationError } = parsed.data.status;
  const rules = (resourceRules ?? []).map((rule) => ({
    verbs: rule.verbs ?? [],
    groups: rule.apiGroups ?? [],
    resources: rule.resources ?? [],
    names: rule.resourceNames ?? [],
  }));
  const because = quote(evaluationError) || 'it does not say why';
  return { rules, incomplete: incomplete ? because : undefined };
}

/** Which Kubernetes answers, and what time it has there. */
export interface ClusterGreeting {
  readonly version: string;
  /** Milliseconds since 1970, to the second. */
  readonly now: number | undefined;
}

const Version = z.object({ gitVersion: z.string().max(64) });
const VERSION_BYTES_MAX = 65_536;

/** Asks an API server for its version, which takes no right. Throws KubernetesFault. */
export async function greetCluster(
  connection: ClusterConnection,
  signal: AbortSignal,
): Promise<ClusterGreeting> {
  const accept = 'application/json';
  const call = { method: 'GET', path: ['version'], accept, bytesMax: VERSION_BYTES_MAX } as const;
  const { body, date, status } = await send(connection, call, signal);
  const parsed = Version.safeParse(jsonOf(body));
  const now = Date.parse(date ?? '');
  const version = parsed.success ? quote(parsed.data.gitVersion) : `an answer with ${status}`;
  return { version, now: Number.isNaN(now) ? undefined : now };
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

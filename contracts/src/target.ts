// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { text } from './ids.ts';

/** RFC 1123 label, what Kubernetes demands of namespaces and containers. */
export const Label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'an RFC 1123 label');
/** RFC 1123 subdomain, what Kubernetes demands of pods. */
const Subdomain = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/, 'an RFC 1123 name');

/** A cluster by the name its operator gave it in the configuration of the services. */
export const ClusterName = text(256);

/** A label selector in the syntax of kubectl -l. */
const Selector = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[A-Za-z0-9._\-/=!,() ]+$/, 'a label selector');

/**
 * One container in a Kubernetes cluster: named by its pod, or by a label selector that must fit
 * exactly one. `container` may be left out where the pod has only one.
 */
export const KubernetesTarget = z
  .object({
    kind: z.literal('kubernetes'),
    cluster: ClusterName,
    namespace: Label,
    pod: Subdomain.optional(),
    selector: Selector.optional(),
    container: Label.optional(),
  })
  .refine((t) => (t.pod === undefined) !== (t.selector === undefined), {
    message: 'name a pod or a label selector, one of the two',
  });
export type KubernetesTarget = z.output<typeof KubernetesTarget>;

/** What can be acquired. */
export const Target = z.discriminatedUnion('kind', [KubernetesTarget]);
export type Target = z.output<typeof Target>;

/** A target that discovery has found: every name is known. */
export const FoundTarget = z.object({
  kind: z.literal('kubernetes'),
  cluster: ClusterName,
  namespace: Label,
  pod: Subdomain,
  container: Label,
});
export type FoundTarget = z.output<typeof FoundTarget>;

/**
 * Reads kubernetes://<cluster>/<namespace>/<pod>[/<container>], or
 * kubernetes://<cluster>/<namespace>?selector=app%3Dcart[&container=cart]. Percent-encode the
 * parts. Throws ZodError, or TypeError where it is no such URI.
 */
export function parseTarget(uri: string): Target {
  const match =
    /^kubernetes:\/\/([^/?#]+)\/([^/?#]+)(?:\/([^/?#]+))?(?:\/([^/?#]+))?(\?[^#]*)?$/.exec(uri);
  if (match === null) {
    throw new TypeError('a target reads kubernetes://<cluster>/<namespace>/<pod>[/<container>]');
  }
  const [, cluster = '', namespace = '', pod, container, search] = match;
  const query = queryOf(search);
  return Target.parse({
    kind: 'kubernetes',
    cluster: decodeURIComponent(cluster),
    namespace: decodeURIComponent(namespace),
    ...optional('pod', pod === undefined ? undefined : decodeURIComponent(pod)),
    ...optional('selector', query.get('selector')),
    ...optional('container', named(container, query.get('container'))),
  });
}

const IN_QUERY = ['selector', 'container'];

/** What nobody reads, or two would read differently, must not stand in a target. */
function queryOf(search: string | undefined): ReadonlyMap<string, string> {
  const query = [...new URLSearchParams(search ?? '')];
  const names = query.map(([name]) => name);
  if (names.every((name, index) => IN_QUERY.includes(name) && names.indexOf(name) === index)) {
    return new Map(query);
  }
  throw new TypeError('the query of a target has selector and container, each once');
}

function named(inPath: string | undefined, inQuery: string | undefined): string | undefined {
  if (inPath === undefined) return inQuery;
  if (inQuery === undefined) return decodeURIComponent(inPath);
  throw new TypeError('a target names its container once');
}

function optional(key: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [key]: value };
}

/** The URI of a target: what `parseTarget` reads, and the key by which two targets are the same. */
export function formatTarget(target: Target | FoundTarget): string {
  const path = [target.cluster, target.namespace, target.pod, target.pod && target.container]
    .filter((part) => part !== undefined)
    .map((part) => encodeURIComponent(part))
    .join('/');
  const query = new URLSearchParams();
  if ('selector' in target && target.selector !== undefined) {
    query.set('selector', target.selector);
    if (target.container !== undefined) query.set('container', target.container);
  }
  return `kubernetes://${path}${query.size > 0 ? `?${query}` : ''}`;
}

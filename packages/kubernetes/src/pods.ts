// SPDX-License-Identifier: Apache-2.0
import { type BoundedBytes, getBytes, getJson } from './api.ts';
import type { ClusterConnection } from './connection.ts';
import { KubernetesFault } from './fault.ts';
import { list } from './list.ts';
import { type Pod, podOf } from './pod.ts';
import { PodObject } from './pod-object.ts';
import { parsed } from './shape.ts';

/** A pod by name. */
export interface PodName {
  readonly namespace: string;
  readonly pod: string;
}

/** Which pods to list. */
export interface PodQuery {
  /** Left out: all namespaces, which needs the right for that. */
  readonly namespace?: string | undefined;
  /** `app=web,tier!=back`, as the API takes it. */
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Most pods that are returned. */
  readonly itemsMax: number;
}

/** Pods of a list; `cut` says that there are more than asked for. */
export interface PodList {
  readonly pods: readonly Pod[];
  readonly resourceVersion: string;
  readonly cut: boolean;
}

/** Which log of a container, and how much of it. */
export interface LogQuery extends PodName {
  readonly container: string;
  /** The log of the instance before the last restart. */
  readonly previous?: boolean | undefined;
  readonly timestamps?: boolean | undefined;
  /** Last lines only; without it the log is read from its beginning. */
  readonly tailLines?: number | undefined;
  readonly bytesMax: number;
}

/** Reads one pod. Throws `not-found`, `forbidden` and the others of the API. */
export async function getPod(
  connection: ClusterConnection,
  name: PodName,
  signal: AbortSignal,
): Promise<Pod> {
  return podIn(await getJson(connection, { path: podPath(name) }, signal), name);
}

/** The pod of that name in what a cluster has told of it. Throws `malformed-answer`. */
export function podIn(json: unknown, name: PodName): Pod {
  const pod = podOf(parsed(PodObject, json, 'Pod'), name.namespace);
  if (pod.metadata.name === name.pod && pod.metadata.namespace === name.namespace) return pod;
  throw new KubernetesFault(
    'malformed-answer',
    'the cluster answered with another pod than the one asked for; check what is between',
  );
}

/**
 * Lists pods page by page. A namespace that does not exist gives an empty list, as the API does.
 */
export async function listPods(
  connection: ClusterConnection,
  { namespace, labelSelector, fieldSelector, itemsMax }: PodQuery,
  signal: AbortSignal,
): Promise<PodList> {
  const path =
    namespace === undefined
      ? ['api', 'v1', 'pods']
      : ['api', 'v1', 'namespaces', namespace, 'pods'];
  const query = { labelSelector, fieldSelector };
  const { items, ...rest } = await list(connection, { path, query, itemsMax }, signal);
  const pods = items.map((item) => podOf(parsed(PodObject, item, 'Pod'), namespace ?? ''));
  return { pods, ...rest };
}

/**
 * Reads a container's log as bytes. A pod that waits has none: empty for Pending (204),
 * `bad-request` with the reason for a waiting container or where there is no previous instance.
 */
export async function containerLog(
  connection: ClusterConnection,
  { container, previous, timestamps, tailLines, bytesMax, ...name }: LogQuery,
  signal: AbortSignal,
): Promise<BoundedBytes> {
  // One byte more than is kept tells whether the log goes on.
  const query = { container, previous, timestamps, tailLines, limitBytes: bytesMax + 1 };
  return getBytes(connection, { path: [...podPath(name), 'log'], query, bytesMax }, signal);
}

/** Path segments of a pod. */
export function podPath({ namespace, pod }: PodName): readonly string[] {
  return ['api', 'v1', 'namespaces', namespace, 'pods', pod];
}

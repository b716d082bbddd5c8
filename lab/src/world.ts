// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { type KubeObject, metadata } from './api/kube-object.ts';
import { nodeObject } from './node-object.ts';
import type { AccountSpec, LabOptions, NamespaceSpec, PodSpec } from './options.ts';
import { podObject } from './pods/pod-object.ts';
import { newPod, type PodRecord } from './pods/pod-record.ts';
import { deploymentObject, eventObject, replicaSetObject, roleObjects } from './world-objects.ts';

/** A change as a watch tells it. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: string;
  readonly object: KubeObject;
}

/** All objects of the cluster, and what happens to them. */
export interface World {
  readonly cluster: string;
  readonly nodeName: string;
  readonly absentImages: readonly string[];
  readonly changes: EventEmitter<{ change: [Change] }>;
  /** The version of the newest change; the first ones are large enough to be "not too old". */
  version(): number;
  pods(): readonly PodRecord[];
  pod(namespace: string, name: string): PodRecord | undefined;
  /** The objects of a resource such as `secrets` or `deployments`. */
  objects(resource: string): readonly KubeObject[];
  /** Marks a pod as changed and tells the watches. */
  touch(pod: PodRecord): void;
  remove(pod: PodRecord): void;
  event(pod: PodRecord, what: EventText): void;
}

/** The words of an event. */
export interface EventText {
  readonly reason: string;
  readonly message: string;
  readonly type?: 'Normal' | 'Warning';
}

const FIRST_VERSION = 7_000;

/** Makes the objects of a cluster from its description; nothing runs yet. */
export function createWorld(options: LabOptions): World {
  let version = FIRST_VERSION;
  const next = (): number => {
    version += 1;
    return version;
  };
  const nodeName = options.node ?? 'node1';
  const changes = new EventEmitter<{ change: [Change] }>().setMaxListeners(0);
  const store = new Map<string, KubeObject[]>();
  const add = (resource: string, ...made: KubeObject[]): void => {
    store.set(resource, [...(store.get(resource) ?? []), ...made]);
  };
  add('nodes', nodeObject(nodeName, next()));
  for (const space of options.namespaces) addNamespace(add, next, space);
  for (const account of options.accounts ?? []) addAccount(add, next, account);
  let pods = options.namespaces.flatMap((space) =>
    (space.pods ?? []).map((spec, index) =>
      newPod(spec, {
        namespace: space.name,
        nodeName,
        number: index,
        version: next(),
        ...ownerOf(add, next, space.name, spec),
      }),
    ),
  );
  const tell = (type: Change['type'], pod: PodRecord): void => {
    pod.resourceVersion = next();
    changes.emit('change', { type, resource: 'pods', object: podObject(pod) });
  };
  return {
    cluster: options.cluster ?? 'lab',
    nodeName,
    absentImages: options.absentImages ?? [],
    changes,
    version: () => version,
    pods: () => pods,
    pod: (namespace, name) =>
      pods.find((one) => one.namespace === namespace && one.spec.name === name),
    objects: (resource) =>
      resource === 'pods' ? pods.map(podObject) : (store.get(resource) ?? []),
    touch: (pod) => {
      if (pods.includes(pod)) tell('MODIFIED', pod);
    },
    remove: (pod) => {
      pods = pods.filter((one) => one !== pod);
      tell('DELETED', pod);
    },
    event: (pod, what) => add('events', eventObject(pod, what, next())),
  };
}

type Add = (resource: string, ...made: KubeObject[]) => void;

function addNamespace(add: Add, next: () => number, space: NamespaceSpec): void {
  const labels = { ...space.labels, 'kubernetes.io/metadata.name': space.name };
  add('namespaces', {
    metadata: metadata(space.name, { version: next(), labels }),
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });
  const accounts = new Set([
    'default',
    ...(space.pods ?? []).map((pod) => pod.serviceAccount ?? 'default'),
  ]);
  for (const name of accounts) {
    const own = { namespace: space.name, version: next() };
    add('serviceaccounts', { metadata: metadata(name, own) });
  }
  const place = () => ({ namespace: space.name, version: next() });
  for (const secret of space.secrets ?? []) {
    const values = Object.entries(secret.data).map(([key, value]) => [
      key,
      Buffer.from(value).toString('base64'),
    ]);
    const content = { data: Object.fromEntries(values), type: secret.type ?? 'Opaque' };
    add('secrets', { metadata: metadata(secret.name, place()), ...content });
  }
  for (const map of space.configMaps ?? []) {
    add('configmaps', { metadata: metadata(map.name, place()), data: map.data });
  }
}

function addAccount(add: Add, next: () => number, account: AccountSpec): void {
  const [namespace = '', name = ''] = account.name.split('/');
  add('serviceaccounts', { metadata: metadata(name, { namespace, version: next() }) });
  for (const { resource, object } of roleObjects(account, next)) add(resource, object);
}

function ownerOf(add: Add, next: () => number, namespace: string, pod: PodSpec) {
  if (pod.deployment === undefined) return {};
  const hash = createHash('sha256').update(pod.deployment).digest('hex').slice(0, 10);
  const place = { namespace, labels: pod.labels ?? {} };
  const deployment = deploymentObject(pod.deployment, { ...place, version: next() });
  const name = pod.name.startsWith(`${pod.deployment}-`)
    ? pod.name.slice(0, pod.name.lastIndexOf('-'))
    : `${pod.deployment}-${hash}`;
  const replicas = replicaSetObject(name, deployment, { ...place, version: next() });
  add('deployments', deployment);
  add('replicasets', replicas);
  return { owner: { name, uid: replicas.metadata.uid } };
}

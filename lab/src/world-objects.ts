// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { type KubeObject, kubeTime, metadata } from './api/kube-object.ts';
import type { AccountSpec, RuleSpec } from './options.ts';
import type { PodRecord } from './pods/pod-record.ts';
import type { EventText } from './world.ts';

interface Place {
  readonly namespace: string;
  readonly version: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** A Deployment with one replica. */
export function deploymentObject(name: string, place: Place): KubeObject {
  const annotations = { 'deployment.kubernetes.io/revision': '1' };
  return {
    metadata: metadata(name, { ...place, generation: 1, annotations }),
    spec: replicaSpec(place),
    status: { replicas: 1, readyReplicas: 1, availableReplicas: 1, updatedReplicas: 1 },
  };
}

/** The ReplicaSet between a Deployment and its pod. */
export function replicaSetObject(name: string, owner: KubeObject, place: Place): KubeObject {
  const { uid } = owner.metadata;
  const what = { apiVersion: 'apps/v1', kind: 'Deployment', name: owner.metadata.name, uid };
  const ownerReferences = [{ ...what, controller: true, blockOwnerDeletion: true }];
  return {
    metadata: metadata(name, { ...place, generation: 1, ownerReferences }),
    spec: replicaSpec(place),
    status: { replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
  };
}

function replicaSpec({ labels }: Place) {
  return { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels } } };
}

/** An event about a pod, as kubelet and scheduler write them. */
export function eventObject(pod: PodRecord, what: EventText, version: number): KubeObject {
  const now = kubeTime(new Date());
  const { name } = pod.spec;
  const component = what.reason.includes('chedul') ? 'default-scheduler' : 'kubelet';
  return {
    metadata: metadata(`${name}.${randomBytes(8).toString('hex')}`, {
      namespace: pod.namespace,
      version,
    }),
    involvedObject: {
      kind: 'Pod',
      namespace: pod.namespace,
      name,
      uid: pod.uid,
      apiVersion: 'v1',
      resourceVersion: String(pod.resourceVersion),
    },
    reason: what.reason,
    message: what.message,
    source: { component, ...(component === 'kubelet' ? { host: pod.nodeName } : {}) },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    type: what.type ?? 'Normal',
    eventTime: null,
    reportingComponent: component,
    reportingInstance: pod.nodeName,
  };
}

/** The roles and bindings that grant an account its rules. */
export function roleObjects(
  account: AccountSpec,
  next: () => number,
): { readonly resource: string; readonly object: KubeObject }[] {
  const [home = '', name = ''] = account.name.split('/');
  const subjects = [{ kind: 'ServiceAccount', name, namespace: home }];
  const spaces = new Set(account.rules.map((rule) => rule.namespace));
  return [...spaces].flatMap((namespace) => {
    const kind = namespace === undefined ? 'ClusterRole' : 'Role';
    const where = namespace === undefined ? {} : { namespace };
    const rules = account.rules.filter((rule) => rule.namespace === namespace).map(ruleObject);
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name };
    const made = () => metadata(name, { ...where, version: next() });
    return [
      { resource: `${kind.toLowerCase()}s`, object: { metadata: made(), rules } },
      {
        resource: `${kind.toLowerCase()}bindings`,
        object: { metadata: made(), subjects, roleRef },
      },
    ];
  });
}

function ruleObject(rule: RuleSpec) {
  const { verbs, resources, resourceNames, apiGroups = [''] } = rule;
  return { verbs, apiGroups, resources, ...(resourceNames === undefined ? {} : { resourceNames }) };
}

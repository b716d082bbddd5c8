// SPDX-License-Identifier: Apache-2.0

/** One kind of object the server has. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Fields a fieldSelector may name. */
  readonly fields: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

const NAMES = ['metadata.name', 'metadata.namespace'];
const READ = ['get', 'list', 'watch'];
const INVOLVED = ['kind', 'name', 'namespace', 'uid', 'fieldPath'].map(
  (field) => `involvedObject.${field}`,
);

interface More {
  readonly fields?: readonly string[];
  readonly cluster?: true;
  readonly verbs?: readonly string[];
  readonly subresources?: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

function type(path: string, kind: string, more: More = {}): ResourceType {
  const [resource = '', version = '', group = ''] = path.split(' ').toReversed();
  return {
    group,
    version,
    resource,
    kind,
    namespaced: more.cluster !== true,
    fields: [...NAMES, ...(more.fields ?? [])],
    verbs: more.verbs ?? READ,
    subresources: more.subresources ?? [],
  };
}

const POD = {
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'watch'],
  fields: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.serviceAccountName',
    'status.phase',
    'status.podIP',
  ],
  subresources: [
    { name: 'attach', verbs: ['create', 'get'] },
    { name: 'ephemeralcontainers', verbs: ['get', 'patch', 'update'] },
    { name: 'exec', verbs: ['create', 'get'] },
    { name: 'log', verbs: ['get'] },
    { name: 'status', verbs: ['get', 'patch', 'update'] },
  ],
};
const PROXY = { name: 'proxy', verbs: ['create', 'delete', 'get', 'patch', 'update'] };
const CREATE = ['create'];

/** Everything the server knows, and discovery tells. */
export const RESOURCE_TYPES: readonly ResourceType[] = [
  type('v1 configmaps', 'ConfigMap'),
  type('v1 events', 'Event', { fields: [...INVOLVED, 'reason', 'type', 'source'] }),
  type('v1 namespaces', 'Namespace', { cluster: true, fields: ['status.phase'] }),
  type('v1 nodes', 'Node', {
    cluster: true,
    fields: ['spec.unschedulable'],
    subresources: [PROXY],
  }),
  type('v1 pods', 'Pod', POD),
  type('v1 secrets', 'Secret', { fields: ['type'] }),
  type('v1 serviceaccounts', 'ServiceAccount'),
  type('v1 services', 'Service'),
  type('apps v1 daemonsets', 'DaemonSet'),
  type('apps v1 deployments', 'Deployment'),
  type('apps v1 replicasets', 'ReplicaSet'),
  type('apps v1 statefulsets', 'StatefulSet'),
  type('batch v1 jobs', 'Job'),
  type('networking.k8s.io v1 networkpolicies', 'NetworkPolicy'),
  type('rbac.authorization.k8s.io v1 clusterrolebindings', 'ClusterRoleBinding', { cluster: true }),
  type('rbac.authorization.k8s.io v1 clusterroles', 'ClusterRole', { cluster: true }),
  type('rbac.authorization.k8s.io v1 rolebindings', 'RoleBinding'),
  type('rbac.authorization.k8s.io v1 roles', 'Role'),
  type('authorization.k8s.io v1 selfsubjectaccessreviews', 'SelfSubjectAccessReview', {
    cluster: true,
    verbs: CREATE,
  }),
  type('authorization.k8s.io v1 selfsubjectrulesreviews', 'SelfSubjectRulesReview', {
    cluster: true,
    verbs: CREATE,
  }),
  type('authentication.k8s.io v1 selfsubjectreviews', 'SelfSubjectReview', {
    cluster: true,
    verbs: CREATE,
  }),
];

/** The type a request names, or undefined. */
export function resourceType(asked: {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}): ResourceType | undefined {
  return RESOURCE_TYPES.find(
    (one) =>
      one.group === asked.group && one.version === asked.version && one.resource === asked.resource,
  );
}

// SPDX-License-Identifier: Apache-2.0
import type { Right } from '@impound/contracts/permissions.ts';
import type { FoundTarget } from '@impound/contracts/target.ts';
import type { Grants } from './ladder.ts';

/**
 * The Role and RoleBinding (YAML) that grant exactly what is denied, in this namespace and for
 * this pod alone. Undefined where nothing is denied. The subject is for the operator to fill in.
 */
export function grantManifest(target: FoundTarget, grants: Grants): string | undefined {
  const missing = [...grants.values()].filter((grant) => grant.verdict === 'denied');
  if (missing.length === 0) return undefined;
  const name = `impound-${target.pod}`.slice(0, NAME_CHARACTERS_MAX).replace(/[-.]+$/, '');
  return [
    ...heading('Role', name, target.namespace),
    'rules:',
    ...missing.flatMap(({ right }) => rule(right, target.pod)),
    '---',
    ...heading('RoleBinding', name, target.namespace),
    'roleRef:',
    '  apiGroup: rbac.authorization.k8s.io',
    '  kind: Role',
    `  name: '${name}'`,
    'subjects:',
    '  - kind: ServiceAccount # the account by which the executor comes',
    '    name: impound-executor',
    '    namespace: impound',
    '',
  ].join('\n');
}

const NAME_CHARACTERS_MAX = 200;

function heading(kind: string, name: string, namespace: string): string[] {
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${kind}`,
    'metadata:',
    `  name: '${name}'`,
    `  namespace: '${namespace}'`,
  ];
}

function rule(right: Right, pod: string): string[] {
  const resource = right.subresource ? `${right.resource}/${right.subresource}` : right.resource;
  return [
    `  - apiGroups: ['${right.group}']`,
    `    resources: ['${resource}']`,
    `    resourceNames: ['${pod}']`,
    `    verbs: ['${right.verb}']`,
  ];
}

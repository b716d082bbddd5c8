// SPDX-License-Identifier: Apache-2.0
import type { Right } from '@impound/contracts/permissions.ts';
import type { FoundTarget } from '@impound/contracts/target.ts';
import type { Grants } from './ladder.ts';

/** The rights that the cluster denies. */
export function missingOf(grants: Grants): readonly Right[] {
  const denied = [...grants.values()].filter(({ verdict }) => verdict === 'denied');
  return denied.map(({ right }) => right);
}

/**
 * The Role and RoleBinding (YAML) that grant exactly what is missing, in this namespace, for this
 * pod alone and to this account; where the cluster did not say which that is, the subject is for
 * the operator to fill in. Undefined where nothing is missing.
 */
export function grantManifest(
  target: FoundTarget,
  missing: readonly Right[],
  account: string | undefined,
): string | undefined {
  if (missing.length === 0) return undefined;
  const name = `impound-${target.pod}`.slice(0, NAME_CHARACTERS_MAX).replace(/[-.]+$/, '');
  return [
    ...heading('Role', name, target.namespace),
    'rules:',
    ...missing.flatMap((right) => rule(right, target.pod)),
    '---',
    ...heading('RoleBinding', name, target.namespace),
    'roleRef:',
    '  apiGroup: rbac.authorization.k8s.io',
    '  kind: Role',
    `  name: '${name}'`,
    'subjects:',
    ...subject(account),
    '',
  ].join('\n');
}

/** https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ */
const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/;
/** One line of text; anything else is no name to write into a file that somebody applies. */
const USER = /^[\x20-\x7e]{1,256}$/;

function subject(account = ''): string[] {
  const [, namespace, name] = SERVICE_ACCOUNT.exec(account) ?? [];
  if (name !== undefined) {
    return ['  - kind: ServiceAccount', `    name: '${name}'`, `    namespace: '${namespace}'`];
  }
  if (USER.test(account)) {
    const quoted = account.replaceAll("'", "''");
    const group = '    apiGroup: rbac.authorization.k8s.io';
    return ['  - kind: User', `    name: '${quoted}'`, group];
  }
  return [
    '  - kind: ServiceAccount # the account by which the executor comes',
    '    name: impound-executor',
    '    namespace: impound',
  ];
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

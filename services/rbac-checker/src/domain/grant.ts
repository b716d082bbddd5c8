// SPDX-License-Identifier: Apache-2.0
import { type Right, rightText } from '@impound/contracts/permissions.ts';
import type { Target } from '@impound/contracts/target.ts';
import type { Grants } from './ladder.ts';

/** The rights that the cluster denies. */
export function missingOf(grants: Grants): readonly Right[] {
  const denied = [...grants.values()].filter(({ verdict }) => verdict === 'denied');
  return denied.map(({ right }) => right);
}

/** What one account lacks; where the cluster did not say which that is, it is undefined. */
export interface Lack {
  readonly who: 'executor' | 'discovery';
  readonly account: string | undefined;
  readonly rights: readonly Right[];
}

/** What discovery and the executor lack, once where they come by one account. */
export function lacksOf(
  discovery: Omit<Lack, 'who'>,
  executor: Omit<Lack, 'who'>,
): readonly Lack[] {
  if (discovery.account !== executor.account) {
    return [
      { who: 'discovery', ...discovery },
      { who: 'executor', ...executor },
    ];
  }
  const all = [...discovery.rights, ...executor.rights];
  const rights = [...new Map(all.map((right) => [rightText(right), right])).values()];
  return [{ ...executor, who: 'executor', rights }];
}

/** Where rights are missing: without a pod, for a selector that nobody could look up. */
export type Place = Pick<Target, 'namespace' | 'pod'>;

/**
 * The Roles and RoleBindings (YAML) that grant exactly what is missing, in this namespace, for this
 * pod alone and to these accounts, one role for each; where an account is not known, the subject is
 * for the operator to fill in. Undefined where nothing is missing.
 */
export function grantManifest(place: Place, lacks: readonly Lack[]): string | undefined {
  const some = lacks.filter(({ rights }) => rights.length > 0);
  if (some.length === 0) return undefined;
  return some.map((lack) => roleFor(place, lack)).join('---\n');
}

function roleFor({ namespace, pod }: Place, { who, account, rights }: Lack): string {
  const whose = who === 'executor' ? 'impound' : `impound-${who}`;
  const whole = `${whose}-${pod ?? 'selector'}`;
  const name = whole.slice(0, NAME_CHARACTERS_MAX).replace(/[-.]+$/, '');
  return [
    ...heading('Role', name, namespace),
    'rules:',
    ...rights.flatMap((right) => rule(right, pod)),
    '---',
    ...heading('RoleBinding', name, namespace),
    'roleRef:',
    '  apiGroup: rbac.authorization.k8s.io',
    '  kind: Role',
    `  name: '${name}'`,
    'subjects:',
    ...subject(who, account),
    '',
  ].join('\n');
}

/** https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ */
const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/;
/** One line of text; anything else is no name to write into a file that somebody applies. */
const USER = /^[\x20-\x7e]{1,256}$/;

function subject(who: Lack['who'], account = ''): string[] {
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
    `  - kind: ServiceAccount # the account by which ${who} comes`,
    `    name: impound-${who}`,
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

/** A role cannot name what is to be listed. */
function rule(right: Right, pod: string | undefined): string[] {
  const resource = right.subresource ? `${right.resource}/${right.subresource}` : right.resource;
  return [
    `  - apiGroups: ['${right.group}']`,
    `    resources: ['${resource}']`,
    ...(right.verb === 'list' || pod === undefined ? [] : [`    resourceNames: ['${pod}']`]),
    `    verbs: ['${right.verb}']`,
  ];
}

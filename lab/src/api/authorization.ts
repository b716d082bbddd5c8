// SPDX-License-Identifier: Apache-2.0
import type { AccountSpec, RuleSpec } from '../options.ts';
import type { ResourceRequest } from './request-info.ts';
import { ApiStatus, qualified } from './status.ts';

/** Somebody who sends requests. */
export interface User {
  /** As audits name it: `admin`, `anonymous` or `namespace/name` of a service account. */
  readonly account: string;
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly rules: readonly RuleSpec[];
  readonly admin: boolean;
}

/** The question an authorizer answers. */
export type Attributes = Pick<
  ResourceRequest,
  'verb' | 'group' | 'resource' | 'subresource' | 'name' | 'namespace'
>;

/** A service account as the server sees it. */
export function accountUser(spec: AccountSpec, uid: string): User {
  const [namespace = '', name = ''] = spec.name.split('/');
  return {
    account: spec.name,
    username: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: [
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
      'system:authenticated',
    ],
    rules: spec.rules,
    admin: false,
  };
}

/** The administrator every lab has. */
export const ADMIN: User = {
  account: 'admin',
  username: 'admin',
  uid: '',
  groups: ['system:masters', 'system:authenticated'],
  rules: [],
  admin: true,
};

/** Whoever sends no credential. */
export const ANONYMOUS: User = {
  account: 'anonymous',
  username: 'system:anonymous',
  uid: '',
  groups: ['system:unauthenticated'],
  rules: [],
  admin: false,
};

const REVIEWS: Readonly<Record<string, readonly string[]>> = {
  'authorization.k8s.io': ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  'authentication.k8s.io': ['selfsubjectreviews'],
};

/** Why something is allowed, in RBAC's words (may be empty), or undefined if it is not. */
export function whyAllowed(user: User, asked: Attributes): string | undefined {
  if (user.admin) return '';
  const review = REVIEWS[asked.group]?.includes(asked.resource) === true;
  if (review && asked.verb === 'create' && user !== ANONYMOUS) {
    return 'RBAC: allowed by ClusterRoleBinding "system:basic-user" of ClusterRole "system:basic-user" to Group "system:authenticated"';
  }
  const rule = user.rules.find((one) => covers(one, asked));
  if (rule === undefined) return undefined;
  const [namespace = '', name = ''] = user.account.split('/');
  const to = `to ServiceAccount "${name}/${namespace}"`;
  if (rule.namespace === undefined) {
    return `RBAC: allowed by ClusterRoleBinding "${name}" of ClusterRole "${name}" ${to}`;
  }
  return `RBAC: allowed by RoleBinding "${name}/${rule.namespace}" of Role "${name}" ${to}`;
}

function covers(rule: RuleSpec, asked: Attributes): boolean {
  if (rule.namespace !== undefined && rule.namespace !== asked.namespace) return false;
  const resource =
    asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`;
  const anyOf = (list: readonly string[], value: string): boolean =>
    list.includes('*') || list.includes(value);
  const bySubresource =
    asked.subresource !== '' && rule.resources.includes(`*/${asked.subresource}`);
  return (
    anyOf(rule.verbs, asked.verb) &&
    anyOf(rule.apiGroups ?? [''], asked.group) &&
    (anyOf(rule.resources, resource) || bySubresource) &&
    (rule.resourceNames === undefined || rule.resourceNames.includes(asked.name))
  );
}

/** Throws 403 with the real server's words unless the user may do what is asked. */
export function authorize(user: User, asked: Attributes): void {
  if (whyAllowed(user, asked) === undefined) throw forbidden(user, asked);
}

/** The refusal for lack of a right. */
export function forbidden(user: User, asked: Attributes): ApiStatus {
  const { verb, group, resource, subresource, name, namespace } = asked;
  const object = name === '' ? qualified(asked) : `${qualified(asked)} "${name}"`;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const message =
    `${object} is forbidden: User "${user.username}" cannot ${verb} resource "${full}" ` +
    `in API group "${group}" ${where}`;
  return new ApiStatus(403, 'Forbidden', message, objectDetails(asked));
}

/** The refusal of a WebSocket exec where only `create` is missing: nothing after the colon. */
export function forbiddenUpgrade(asked: Attributes): ApiStatus {
  const message = `${qualified(asked)} "${asked.name}" is forbidden: `;
  return new ApiStatus(403, 'Forbidden', message, objectDetails(asked));
}

/** The refusal on a path that is no resource. */
export function forbiddenPath(user: User, verb: string, path: string): ApiStatus {
  const message = `forbidden: User "${user.username}" cannot ${verb} path "${path}"`;
  return new ApiStatus(403, 'Forbidden', message, {});
}

function objectDetails(asked: Attributes) {
  const name = asked.name === '' ? {} : { name: asked.name };
  const group = asked.group === '' ? {} : { group: asked.group };
  return { ...name, ...group, kind: asked.resource };
}

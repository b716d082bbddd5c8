// SPDX-License-Identifier: Apache-2.0
import type { RuleSpec } from '../options.ts';
import { type User, whyAllowed } from './authorization.ts';
import { isRecord } from './json.ts';
import { badRequest } from './status.ts';

const PUBLIC_PATHS = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const OPENID = '/.well-known/openid-configuration';
const OPENID_PATHS = [OPENID, `${OPENID}/`, '/openid/v1/jwks', '/openid/v1/jwks/'];
const DISCOVERY_PATHS = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/healthz',
  '/livez',
  '/openapi',
  '/openapi/*',
  '/readyz',
  '/version',
  '/version/',
];

/** Answers SelfSubjectAccessReview: may I do this? */
export function accessReview(user: User, body: unknown): unknown {
  const spec = field(body, 'spec');
  const asked = field(spec, 'resourceAttributes');
  const path = field(spec, 'nonResourceAttributes');
  if (!isRecord(asked) && !isRecord(path)) {
    throw badRequest(
      'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  }
  const text = (key: string): string => {
    const value = field(isRecord(asked) ? asked : path, key);
    return typeof value === 'string' ? value : '';
  };
  const keys = isRecord(asked)
    ? ['namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name']
    : ['path', 'verb'];
  const echo = Object.fromEntries(
    keys.filter((key) => text(key) !== '').map((key) => [key, text(key)]),
  );
  const reason = isRecord(asked)
    ? whyAllowed(user, {
        verb: text('verb'),
        group: text('group'),
        resource: text('resource'),
        subresource: text('subresource'),
        name: text('name'),
        namespace: text('namespace'),
      })
    : whyPathAllowed(user, text('verb'), text('path'));
  return {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec: isRecord(asked) ? { resourceAttributes: echo } : { nonResourceAttributes: echo },
    status: verdict(reason),
  };
}

function verdict(reason: string | undefined) {
  if (reason === undefined) return { allowed: false };
  return reason === '' ? { allowed: true } : { allowed: true, reason };
}

function whyPathAllowed(user: User, verb: string, path: string): string | undefined {
  if (user.admin) return '';
  const open = [...PUBLIC_PATHS, ...DISCOVERY_PATHS].includes(path) && verb === 'get';
  if (!open) return undefined;
  const role = PUBLIC_PATHS.includes(path) ? 'system:public-info-viewer' : 'system:discovery';
  return `RBAC: allowed by ClusterRoleBinding "${role}" of ClusterRole "${role}" to Group "system:authenticated"`;
}

/** Answers SelfSubjectRulesReview: what may I do in this namespace? */
export function rulesReview(user: User, body: unknown): unknown {
  const namespace = field(field(body, 'spec'), 'namespace');
  if (typeof namespace !== 'string' || namespace === '') {
    throw badRequest('no namespace on request');
  }
  return {
    kind: 'SelfSubjectRulesReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec: {},
    status: {
      resourceRules: user.admin ? [allRules()] : [...basicRules(), ...ownRules(user, namespace)],
      nonResourceRules: [PUBLIC_PATHS, OPENID_PATHS, DISCOVERY_PATHS].map((nonResourceURLs) => ({
        verbs: ['get'],
        nonResourceURLs,
      })),
      incomplete: false,
    },
  };
}

function allRules() {
  return { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
}

function basicRules() {
  const verbs = ['create'];
  return [
    {
      verbs,
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    },
    { verbs, apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  ];
}

function ownRules(user: User, namespace: string) {
  const holds = (rule: RuleSpec) => rule.namespace === undefined || rule.namespace === namespace;
  return user.rules.filter(holds).map((rule) => ({
    verbs: rule.verbs,
    apiGroups: rule.apiGroups ?? [''],
    resources: rule.resources,
    ...(rule.resourceNames === undefined ? {} : { resourceNames: rule.resourceNames }),
  }));
}

/** Answers SelfSubjectReview: who am I? */
export function whoAmI(user: User): unknown {
  const uid = user.uid === '' ? {} : { uid: user.uid };
  return {
    kind: 'SelfSubjectReview',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { creationTimestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z') },
    status: { userInfo: { username: user.username, ...uid, groups: user.groups } },
  };
}

function field(value: unknown, key: string): unknown {
  return isRecord(value) ? value[key] : undefined;
}

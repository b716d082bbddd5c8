// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeldRule } from '@impound/kubernetes/held.ts';
import { rightFindings } from './clusters.ts';
import { type Excess, excessOf, type Purpose } from './rights.ts';

function rule(verbs: string, resources: string, group = ''): HeldRule {
  return { verbs: verbs.split(' '), groups: [group], resources: resources.split(' '), names: [] };
}

const EVERYBODY = [
  rule('create', 'selfsubjectaccessreviews selfsubjectrulesreviews', 'authorization.k8s.io'),
  rule('create', 'selfsubjectreviews', 'authentication.k8s.io'),
];
const EXECUTOR = [
  rule('get', 'pods'),
  rule('get create', 'pods/exec'),
  rule('patch', 'pods/ephemeralcontainers'),
];
const NONE: Excess = { dangerous: [], curious: [], digests: [] };

const ACCOUNTS: readonly (readonly [string, Purpose, HeldRule, Partial<Excess>])[] = [
  ['lists pods, which it may get', 'executor', rule('list watch', 'pods'), {}],
  ['reads secrets', 'executor', rule('get', 'secrets'), { dangerous: ['get secrets'] }],
  ['may everything', 'executor', rule('*', '*', '*'), { dangerous: ['* *.*'] }],
  ['creates pods', 'executor', rule('create', 'pods'), { dangerous: ['create pods'] }],
  [
    'acts for others',
    'executor',
    rule('impersonate', 'users'),
    { dangerous: ['impersonate users'] },
  ],
  [
    'binds roles',
    'executor',
    rule('bind', 'clusterroles', 'rbac.authorization.k8s.io'),
    { dangerous: ['bind clusterroles.rbac.authorization.k8s.io'] },
  ],
  ['reads config maps', 'executor', rule('get', 'configmaps'), { curious: ['get configmaps'] }],
  ['execs', 'discovery', rule('create', 'pods/exec'), { dangerous: ['create pods/exec'] }],
  ['reads secrets', 'discovery', rule('get', 'secrets'), { digests: ['get secrets'] }],
  ['reads owners', 'discovery', rule('get', 'deployments', 'apps'), {}],
  [
    'deletes owners',
    'discovery',
    rule('delete', 'jobs', 'batch'),
    { dangerous: ['delete jobs.batch'] },
  ],
];
for (const [what, purpose, held, excess] of ACCOUNTS) {
  test(`an account of the ${purpose} that ${what} has ${JSON.stringify(excess)} too much`, () => {
    const own = purpose === 'executor' ? EXECUTOR : [];
    assert.deepEqual(excessOf([...EVERYBODY, ...own, held], purpose), { ...NONE, ...excess });
  });
}

const account = { name: 'prod', purpose: 'executor' } as const;

test('an account that holds what it needs is well', () => {
  const held = new Map([['shop', { rules: [...EVERYBODY, ...EXECUTOR], incomplete: undefined }]]);
  assert.deepEqual(
    rightFindings(account, held).map(({ verdict }) => verdict),
    ['ok'],
  );
});

test('the same excess in several namespaces is one finding', () => {
  const wide = { rules: [...EXECUTOR, rule('*', '*', '*')], incomplete: undefined };
  const [finding, ...more] = rightFindings(
    account,
    new Map([
      ['shop', wide],
      ['web', wide],
    ]),
  );
  assert.equal(more.length, 0);
  assert.equal(finding?.verdict, 'sick');
  assert.match(finding.what, /may \* \*\.\* in shop, web/);
});

test('exec in kube-system is told of', () => {
  const held = new Map([['kube-system', { rules: EXECUTOR, incomplete: undefined }]]);
  assert.match(rightFindings(account, held)[0]?.what ?? '', /exec in kube-system/);
});

test('a list of rights that is not whole is not called well', () => {
  const held = new Map([['shop', { rules: EXECUTOR, incomplete: 'webhook' }]]);
  assert.deepEqual(
    rightFindings(account, held).map(({ verdict }) => verdict),
    ['unknown'],
  );
});

// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { NO_ACQUISITION } from '@impound/contracts/chain.ts';
import { Integration } from '@impound/contracts/integration.ts';
import { ConfigFault } from '@impound/runtime/config.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { openPolicies } from '../src/adapters/cedar-policies.ts';
import type { Caller } from '../src/domain/caller.ts';
import { type Deed, judgeRequest, type Wanted } from '../src/domain/policy.ts';
import { house, LIMIT, ORDER, problemOf, tokenCredential } from './gateway-in-a-house.ts';

function caller(more: object = {}): Caller {
  const integration = Integration.parse({
    id: 'siem',
    kind: 'integration',
    tenant: 'default',
    credentials: [],
    clusters: ['prod-eu'],
    namespaces: ['shop', 'cart'],
    methods: ['exec-stream'],
    profiles: ['volatile', 'triage'],
    budget: { bytesMax: 1_000, secondsMax: 60 },
    approval: 'never',
    ...more,
  });
  const { id, kind, tenant } = integration;
  return { actor: { id, kind, authn: 'bearer-token' }, tenant, integration };
}

const EXAMPLE = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);

function wanted(more: object = {}, target: object = {}): Wanted {
  const { policy: _, ...rest } = EXAMPLE;
  const budget = { bytesMax: 1_000, secondsMax: 60 };
  const asked = { ...rest, methods: ['exec-stream' as const], budget, ...more };
  return { ...asked, target: { ...EXAMPLE.target, ...target } };
}

const REQUESTS: readonly (readonly [string, object, Wanted, string, string])[] = [
  ['all of its own', {}, wanted(), 'allowed', 'within-its-tenant'],
  ['a second person', { approval: 'always' }, wanted(), 'approval-required', 'second-person'],
  ['another cluster', {}, wanted({}, { cluster: 'prod-us' }), 'denied', 'cluster-of-its-own'],
  ['another namespace', {}, wanted({}, { namespace: 'pay' }), 'denied', 'namespace-of-its-own'],
  [
    'any cluster',
    { clusters: ['*'] },
    wanted({}, { cluster: 'x' }),
    'allowed',
    'within-its-tenant',
  ],
  ['another method', {}, wanted({ methods: ['checkpoint'] }), 'denied', 'method-of-its-own'],
  ['another profile', {}, wanted({ profile: 'full' }), 'denied', 'profile-of-its-own'],
  [
    'more than its budget',
    {},
    wanted({ budget: { bytesMax: 1_001, secondsMax: 60 } }),
    'denied',
    'within-its-budget',
  ],
];

test('a request is decided by the policies, and the decision tells by which', async () => {
  const policies = await openPolicies();
  for (const [what, more, request, decision, policy] of REQUESTS) {
    const decided = judgeRequest(caller(more), request, policies);
    assert.deepEqual([decided.decision, decided.policies], [decision, [policy]], what);
    assert.match(decided.because, /^integration siem: [a-z]/);
    assert.match(decided.policySet ?? '', /^[0-9a-f]{64}$/);
  }
});

const DEEDS: readonly (readonly [Deed, object, object, string])[] = [
  ['approve', { mayApprove: true }, { requestedBy: 'other' }, 'within-its-tenant'],
  ['approve', {}, { requestedBy: 'other' }, 'approvers-only'],
  ['approve', { mayApprove: true }, { requestedBy: 'siem' }, 'two-pairs-of-eyes'],
  ['refuse', { mayApprove: true }, { onBehalfOf: 'siem' }, 'two-pairs-of-eyes'],
  ...['Siem', ' SIEM\u200b', '\uff53iem', 'siem@shop.example', 'SHOP\\Siem'].map(
    (onBehalfOf) => ['approve', { mayApprove: true }, { onBehalfOf }, 'two-pairs-of-eyes'] as const,
  ),
  ['approve', { mayApprove: true }, { onBehalfOf: 'siemens@siem' }, 'within-its-tenant'],
  ['approve', { mayApprove: true, clusters: ['prod-us'] }, {}, 'cluster-of-its-own'],
  ['refuse', { mayApprove: true, namespaces: ['pay'] }, {}, 'namespace-of-its-own'],
  ['read-evidence', { mayReadEvidence: true, clusters: ['prod-us'] }, {}, 'cluster-of-its-own'],
  ['read-evidence', { mayReadEvidence: true, namespaces: ['pay'] }, {}, 'namespace-of-its-own'],
  [
    'inspect-evidence',
    { mayInspect: true, clusters: ['none'], namespaces: ['none'] },
    {},
    'within-its-tenant',
  ],
  ['cancel', { namespaces: ['pay'] }, { requestedBy: 'siem' }, 'within-its-tenant'],
  ['cancel', {}, { requestedBy: 'siem' }, 'within-its-tenant'],
  ['cancel', {}, { requestedBy: 'other' }, 'cancel-its-own'],
  ['cancel', { mayApprove: true }, { requestedBy: 'other' }, 'within-its-tenant'],
  ['read-evidence', {}, {}, 'evidence-for-readers'],
  ['read-evidence', { mayReadEvidence: true }, {}, 'within-its-tenant'],
  ['read-evidence', { mayInspect: true }, {}, 'evidence-for-readers'],
  ['inspect-evidence', {}, {}, 'inspection-for-inspectors'],
  ['inspect-evidence', { mayInspect: true }, {}, 'within-its-tenant'],
  ['inspect-evidence', { mayReadEvidence: true }, {}, 'within-its-tenant'],
];

test('a decision, a cancellation and a look at evidence are decided by them too', async () => {
  const policies = await openPolicies();
  for (const [action, more, { requestedBy = 'other', ...rest }, policy] of DEEDS as never as [
    Deed,
    object,
    { requestedBy?: string },
    string,
  ][]) {
    const actor = { id: requestedBy, kind: 'integration' as const, authn: 'none' as const };
    const request = { ...EXAMPLE, requestedBy: actor, ...rest };
    const acquisition = { ...NO_ACQUISITION, tenant: 'default', acquisitionId: 'it', request };
    const decided = policies.decide({ action, caller: caller(more), reason: 'x', acquisition });
    assert.deepEqual(decided.policies, [policy], `${action} ${JSON.stringify([more, rest])}`);
    assert.equal(decided.allowed, policy === 'within-its-tenant');
  }
  const acquisition = { ...NO_ACQUISITION, tenant: 'elsewhere', acquisitionId: 'it' };
  const asked = { action: 'cancel' as const, caller: caller({ mayApprove: true }), reason: 'x' };
  const foreign = policies.decide({ ...asked, acquisition });
  assert.deepEqual([foreign.allowed, foreign.policies], [false, []]);
  assert.equal(foreign.because, 'no policy allows it');
});

test('only an auditor may read the log', async () => {
  const policies = await openPolicies();
  const asked = { action: 'audit' as const, reason: 'review' };
  const stranger = policies.decide({ ...asked, caller: caller({}) });
  assert.deepEqual([stranger.allowed, stranger.policies], [false, ['audit-for-auditors']]);
  const auditor = policies.decide({ ...asked, caller: caller({ mayAudit: true }) });
  assert.deepEqual([auditor.allowed, auditor.policies], [true, ['within-its-tenant']]);
});

async function folder(t: TestContext, files: Readonly<Record<string, string>>) {
  const path = await mkdtemp(join(tmpdir(), 'impound-policies-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

test('policies of an operator narrow what may be done, and cannot widen it', async (t) => {
  const path = await folder(t, {
    'night.cedar': `@id("prod-needs-two") @because("production needs a second person")
      forbid (principal, action == Impound::Action::"acquire-alone", resource)
      when { resource.cluster like "prod-*" };`,
    'wide.cedar': `@id("all-may") permit (principal, action, resource);`,
    'README.md': 'not a policy',
  });
  const policies = await openPolicies(path);
  const decided = judgeRequest(caller(), wanted(), policies);
  assert.equal(decided.decision, 'approval-required');
  assert.deepEqual(decided.policies, ['prod-needs-two']);
  assert.equal(decided.because, 'integration siem: production needs a second person');
  const denied = judgeRequest(caller(), wanted({}, { namespace: 'pay' }), policies);
  assert.equal(denied.decision, 'denied');
  const ours = judgeRequest(caller(), wanted(), await openPolicies());
  assert.notEqual(decided.policySet, ours.policySet);
});

test('a policy that cannot be decided forbids', async (t) => {
  const path = await folder(t, {
    'overflow.cedar': `@id("overflow") forbid (
        principal, action == Impound::Action::"acquire", resource
      ) when { context.bytesMax * 9223372036854775807 > 1 };`,
  });
  const decided = judgeRequest(caller(), wanted(), await openPolicies(path));
  assert.deepEqual([decided.decision, decided.policies], ['denied', ['overflow']]);
});

const BAD = {
  'no Cedar': ['permit everything please', /bad\.cedar: /],
  'no id': ['permit (principal, action, resource);', /needs @id/],
  'an id that is taken': [
    '@id("second-person") permit (principal, action, resource);',
    /two polic/,
  ],
  'an attribute that is none': [
    '@id("typo") forbid (principal, action, resource) when { principal.colour == "red" };',
    /policy typo: .*colour/,
  ],
  'an action that is none': [
    '@id("typo") forbid (principal, action == Impound::Action::"delete", resource);',
    /policy typo: .*delete/,
  ],
  'a template': ['@id("t") permit (principal == ?principal, action, resource);', /templates/],
} as const;

for (const [what, [text, words]] of Object.entries(BAD)) {
  test(`a policy with ${what} stops the start, and the fault says which`, async (t) => {
    const path = await folder(t, { 'bad.cedar': text });
    await assert.rejects(openPolicies(path), (error) => {
      assert.ok(error instanceof ConfigFault);
      assert.match(error.message, words);
      return true;
    });
  });
}

test('a folder that is not there stops the start', async () => {
  await assert.rejects(openPolicies('/nowhere/policies'), ConfigFault);
});

const BOUND = {
  id: 'bound',
  kind: 'integration',
  tenant: 'default',
  credentials: [tokenCredential('token-of-the-bound')],
  clusters: ['prod-eu'],
  namespaces: ['elsewhere'],
};

test(
  'a denied request is on record as a chain of its own, and touches nothing',
  LIMIT,
  async (t) => {
    const { url, ledger, ask, lines } = await house(t, [BOUND]);
    const init = {
      method: 'POST',
      headers: { authorization: 'Bearer token-of-the-bound', 'content-type': 'application/json' },
      body: JSON.stringify(ORDER),
    };
    const send = () => fetch(new URL('/v1/acquisitions', url), init);
    const { detail } = await problemOf(await send(), 403, 'forbidden');
    const id = /on record in (\S+)/.exec(detail)?.[1] ?? '';
    const [denied, ...others] = ledger.chain(id);
    assert.deepEqual(others, []);
    assert.equal(denied?.event.type, 'acquisition.denied.v1');
    const policy = denied?.event.data['policy'] as { policies: string[]; decision: string };
    assert.deepEqual([policy.decision, policy.policies], ['denied', ['namespace-of-its-own']]);
    const view = (await (await ask(`/v1/acquisitions/${id}`)).json()) as Record<string, unknown>;
    assert.deepEqual([view['status'], view['target']], ['denied', ORDER.target]);
    for (let count = 0; count < 30; count++) assert.equal((await send()).status, 403);
    const listed = (await (await ask('/v1/acquisitions?limit=200')).json()) as {
      acquisitions: { status: string }[];
    };
    assert.equal(listed.acquisitions.length, 20, 'the ledger is not filled');
    assert.ok(listed.acquisitions.every(({ status }) => status === 'denied'));
    await until(() => lines.filter((line) => line.startsWith('denied')).length === 31 || undefined);
  },
);

test('a denied look at evidence is on the chain that it was about', LIMIT, async (t) => {
  const { url, ledger, begin } = await house(t, [BOUND]);
  const id = await begin('siem');
  const headers = { authorization: 'Bearer token-of-the-bound' };
  const place = `/v1/acquisitions/${id}/evidence/e1/manifest.jsonl?purpose=curiosity`;
  await problemOf(await fetch(new URL(place, url), { headers }), 403, 'forbidden');
  const denied = ledger.chain(id).at(-1)?.event;
  assert.equal(denied?.type, 'permission.denied.v1');
  assert.deepEqual(
    [denied?.data['action'], denied?.data['reason']],
    ['read-evidence', 'curiosity'],
  );
});

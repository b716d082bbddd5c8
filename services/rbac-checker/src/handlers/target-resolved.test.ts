// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { type Right, rightText } from '@impound/contracts/permissions.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { accessUnchecked, targetResolved } from './target-resolved.ts';

const data = TargetResolvedV1.shape.parse(TargetResolvedV1.example);
const message = { data } as Parameters<typeof targetResolved>[0];

const here = {
  executor: async () => 'kubernetes',
  account: async (): Promise<string | undefined> => undefined,
};

function withheld(text: string) {
  return async ({ rights }: { readonly rights: readonly Right[] }) =>
    new Map(
      rights.map((right) => {
        const verdict = rightText(right) === text ? ('denied' as const) : ('allowed' as const);
        return [rightText(right), { right, verdict, reason: '' }];
      }),
    );
}

test('a cluster that withholds exec gets a ladder whose exec rung is denied and names the right', async () => {
  const granted = withheld('create pods/exec');
  const access = { ...here, granted };
  const deps = { access, ephemeral: true };
  const said = await targetResolved(message, deps, AbortSignal.timeout(280_000));
  assert.equal(said.contract, AccessCheckedV1);
  assert.deepEqual(said.data.ladder[0], {
    method: 'exec-stream',
    executor: 'kubernetes',
    verdict: 'denied',
    because: 'create pods/exec is not granted in namespace shop',
  });
  assert.match(said.data.grant ?? '', /pods\/exec/);
});

for (const [account, subject] of [
  [
    'system:serviceaccount:forensics:collector',
    "  - kind: ServiceAccount\n    name: 'collector'\n    namespace: 'forensics'\n",
  ],
  [
    "O'Hara # one",
    "  - kind: User\n    name: 'O''Hara # one'\n    apiGroup: rbac.authorization.k8s.io\n",
  ],
  ['two\nlines', '    name: impound-executor\n    namespace: impound\n'],
  [undefined, '    name: impound-executor\n    namespace: impound\n'],
] as const) {
  test(`what is missing is granted to the account that asked: ${JSON.stringify(account)}`, async () => {
    const granted = withheld('create pods/exec');
    const access = { ...here, account: async () => account, granted };
    const deps = { access, ephemeral: true };
    const { data } = await targetResolved(message, deps, AbortSignal.timeout(280_000));
    assert.ok(data.grant?.endsWith(subject), data.grant);
  });
}

test('who lacks nothing is not asked who he is', async () => {
  const account = async () => assert.fail('it was asked');
  const deps = { access: { ...here, account, granted: withheld('') }, ephemeral: true };
  const { data } = await targetResolved(message, deps, AbortSignal.timeout(280_000));
  assert.equal(data.grant, undefined);
});

test('an installation without an image for ephemeral containers does not ask to be granted them', async () => {
  const granted = withheld('patch pods/ephemeralcontainers');
  const access = { ...here, granted };
  const ask = async (ephemeral: boolean) =>
    (await targetResolved(message, { access, ephemeral }, AbortSignal.timeout(280_000))).data;
  const without = await ask(false);
  assert.equal(without.grant, undefined);
  assert.match(without.ladder[1]?.because ?? '', /EPHEMERAL_IMAGE/);
  assert.match((await ask(true)).grant ?? '', /pods\/ephemeralcontainers/);
});

test('a review that was given up leaves a ladder of unknowns that says why', () => {
  const fault = { code: 'cluster-unreachable', because: 'no route to the API server' };
  const said = accessUnchecked(message, fault);
  assert.equal(said.data.ladder[0]?.verdict, 'unknown');
  assert.match(said.data.ladder[0]?.because ?? '', /no route/);
  assert.equal(said.data.grant, undefined);
});

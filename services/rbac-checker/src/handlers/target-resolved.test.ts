// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { type Right, rightText } from '@impound/contracts/permissions.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { accessUnchecked, targetResolved } from './target-resolved.ts';

const data = TargetResolvedV1.shape.parse(TargetResolvedV1.example);
const message = { data } as Parameters<typeof targetResolved>[0];

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
  const access = { executor: async () => 'kubernetes', granted };
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

test('an installation without an image for ephemeral containers does not ask to be granted them', async () => {
  const granted = withheld('patch pods/ephemeralcontainers');
  const access = { executor: async () => 'kubernetes', granted };
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

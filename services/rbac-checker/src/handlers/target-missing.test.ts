// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { type Right, rightText } from '@impound/contracts/permissions.ts';
import type { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { accessUnknown, targetMissing } from './target-missing.ts';

const NAMED = { kind: 'kubernetes', cluster: 'prod-eu', namespace: 'shop', pod: 'cart-7f9c' };
const SELECTED = {
  kind: 'kubernetes',
  cluster: 'prod-eu',
  namespace: 'shop',
  selector: 'app=cart',
};

function heard(withheld?: { target: object; account?: string }) {
  const data = { code: 'forbidden', because: 'it is', withheld } as unknown as TargetMissingV1;
  return { acquisitionId: 'a', data } as Parameters<typeof targetMissing>[0];
}

function deps(account: string | undefined, denied: readonly string[]) {
  const granted = async ({ rights }: { readonly rights: readonly Right[] }) =>
    new Map(
      rights.map((right) => {
        const verdict = denied.includes(rightText(right)) ? 'denied' : 'allowed';
        return [rightText(right), { right, verdict, reason: '' } as const];
      }),
    );
  const access = { executor: async () => 'kubernetes', account: async () => account, granted };
  return { access, ephemeral: false };
}

const { signal } = new AbortController();
const EXEC = ['get pods/exec', 'create pods/exec'];

async function said(...[message, of]: [ReturnType<typeof heard>, ReturnType<typeof deps>]) {
  const answer = await targetMissing(message, of, signal);
  assert.ok(answer);
  return AccessCheckedV1.shape.parse(answer.data);
}

function verbsOf(grant: string | undefined): readonly string[] {
  return [...(grant ?? '').matchAll(/resources: \['(.+)'\]\n(?:.*\n)? {4}verbs: \['(.+)'\]/g)].map(
    ([, resource, verb]) => `${verb} ${resource}`,
  );
}

test('one account that lacks everything gets one role with all of it, each once', async () => {
  const message = heard({ target: NAMED, account: 'somebody' });
  const { ladder, grant } = await said(message, deps('somebody', ['get pods', ...EXEC]));
  assert.deepEqual(verbsOf(grant), ['get pods', ...EXEC]);
  assert.equal(grant?.match(/^kind: Role$/gm)?.length, 1);
  assert.match(ladder[0]?.because ?? '', /^get pods, get pods\/exec and create pods\/exec are not/);
});

test('two accounts get a role each, with what each of them lacks', async () => {
  const message = heard({ target: NAMED, account: 'reader' });
  const { grant = '' } = await said(message, deps('collector', EXEC));
  const roles = grant.split('---\n');
  assert.equal(roles.length, 4, 'two roles and two bindings');
  assert.deepEqual(verbsOf(roles[0]), ['get pods']);
  assert.match(roles[1] ?? '', /name: 'impound-discovery-cart-7f9c'\n[\s\S]*name: 'reader'/);
  assert.deepEqual(verbsOf(roles[2]), EXEC);
  assert.match(roles[3] ?? '', /name: 'impound-cart-7f9c'\n[\s\S]*name: 'collector'/);
});

test('an executor that lacks nothing is granted nothing', async () => {
  const message = heard({ target: NAMED, account: 'reader' });
  const { ladder, grant } = await said(message, deps('collector', []));
  assert.deepEqual(verbsOf(grant), ['get pods']);
  assert.equal(ladder[0]?.verdict, 'allowed');
});

test('a selector is granted the list alone: nobody knows which pods it fits', async () => {
  const message = heard({ target: SELECTED, account: 'somebody' });
  const { ladder, grant } = await said(message, deps('somebody', ['get pods', ...EXEC]));
  assert.deepEqual(verbsOf(grant), ['list pods']);
  assert.doesNotMatch(grant ?? '', /resourceNames/);
  assert.equal(ladder[0]?.verdict, 'unknown');
});

test('a target that is missing for another reason is no matter of rights', async () => {
  assert.equal(await targetMissing(heard(), deps('somebody', []), signal), undefined);
});

test('a review that was given up leaves a ladder of unknowns, and no manifest', () => {
  const fault = { code: 'cluster-unreachable', because: 'no route to the API server' };
  const { data } = accessUnknown(heard({ target: NAMED }), fault);
  assert.equal(data.ladder[0]?.verdict, 'unknown');
  assert.match(data.ladder[0]?.because ?? '', /no route/);
  assert.equal(data.grant, undefined);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rightText } from '@impound/contracts/permissions.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { grantManifest } from './grant.ts';
import { type Grants, ladderFor, OFFERED, RIGHTS, unknownGrants } from './ladder.ts';

const { target, container } = TargetResolvedV1.shape.parse(TargetResolvedV1.example);
const sought = { target, container, executor: 'kubernetes' };

function grants(denied: readonly string[]): Grants {
  return new Map(
    RIGHTS.map((right) => {
      const verdict = denied.includes(rightText(right)) ? 'denied' : 'allowed';
      return [rightText(right), { right, verdict, reason: '' }] as const;
    }),
  );
}

const cases = [
  {
    name: 'everything granted: exec is allowed',
    given: grants([]),
    rung: { verdict: 'allowed', because: 'everything it needs is granted in namespace shop' },
  },
  {
    name: 'a cluster that withholds create pods/exec: exec is denied and the right is named',
    given: grants(['create pods/exec']),
    rung: { verdict: 'denied', because: 'create pods/exec is not granted in namespace shop' },
  },
  {
    name: 'two rights withheld: both are named in one sentence',
    given: grants(['get pods/exec', 'create pods/exec']),
    rung: {
      verdict: 'denied',
      because: 'get pods/exec and create pods/exec are not granted in namespace shop',
    },
  },
  {
    name: 'a cluster that cannot say: unknown, with its reason',
    given: unknownGrants('the cluster did not answer'),
    rung: {
      verdict: 'unknown',
      because: 'not known whether it is granted in namespace shop: the cluster did not answer',
    },
  },
] as const;

for (const { name, given, rung } of cases) {
  test(name, () => {
    const [first] = ladderFor(sought, given);
    assert.deepEqual(first, { method: 'exec-stream', executor: 'kubernetes', ...rung });
  });
}

test('a container that has ended cannot be entered, whatever is granted', () => {
  const [first] = ladderFor(
    { ...sought, container: { ...container, state: 'terminated' } },
    grants([]),
  );
  assert.equal(first?.verdict, 'denied');
  assert.match(first?.because ?? '', /terminated/);
});

test('a distroless-looking image is unknown, because only a try can tell', () => {
  const [first] = ladderFor(
    { ...sought, container: { ...container, shell: 'unlikely' } },
    grants([]),
  );
  assert.equal(first?.verdict, 'unknown');
});

test('only the executor of the cluster is offered, and each where it is not known', () => {
  const routes = (executor?: string) =>
    new Set(ladderFor({ ...sought, executor }, grants([])).map((rung) => rung.executor));
  assert.deepEqual([...routes('kubernetes')], ['kubernetes']);
  assert.deepEqual([...routes()], Object.keys(OFFERED));
});

test('a cluster that is given to an executor that does not exist is denied, in plain words', () => {
  for (const executor of ['kubernets', 'constructor']) {
    const [first] = ladderFor({ ...sought, executor }, grants([]));
    assert.equal(first?.verdict, 'denied');
    const known = Object.keys(OFFERED).join(', ');
    assert.ok(first?.because.endsWith(`to executor ${executor}; there are: ${known}`));
  }
});

test('the manifest grants what is denied, for this pod, and nothing else', () => {
  const manifest = grantManifest(target, grants(['create pods/exec'])) ?? '';
  assert.match(
    manifest,
    /resources: \['pods\/exec'\]\n {4}resourceNames: \['cart-7f9c'\]\n {4}verbs: \['create'\]/,
  );
  assert.equal(manifest.match(/verbs:/g)?.length, 1);
  assert.match(manifest, /kind: RoleBinding/);
});

test('where nothing is denied there is no manifest', () => {
  assert.equal(grantManifest(target, grants([])), undefined);
  assert.equal(grantManifest(target, unknownGrants('x')), undefined);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Right, rightText } from '@impound/contracts/permissions.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { grantManifest, missingOf } from './grant.ts';
import { type Grants, ladderFor, OFFERED, rightsNeeded, unknownGrants } from './ladder.ts';

const { target, container } = TargetResolvedV1.shape.parse(TargetResolvedV1.example);
const sought = { target, container, executor: 'kubernetes', ephemeral: true };

function grants(denied: readonly string[]): Grants {
  return new Map(
    rightsNeeded(true).map((right) => {
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
    name: 'three rights withheld: all are named in one sentence',
    given: grants(['get pods', 'get pods/exec', 'create pods/exec']),
    rung: {
      verdict: 'denied',
      because: 'get pods, get pods/exec and create pods/exec are not granted in namespace shop',
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

test('a distroless-looking image keeps exec first, for a try leaves nothing, and says so', () => {
  const distroless = { ...sought, container: { ...container, shell: 'unlikely' as const } };
  const [first, second] = ladderFor(distroless, grants([]));
  assert.deepEqual([first?.method, first?.verdict], ['exec-stream', 'allowed']);
  assert.match(first?.because ?? '', /looks distroless/);
  assert.deepEqual([second?.method, second?.verdict], ['ephemeral-container', 'allowed']);
  const [withheld] = ladderFor(distroless, grants(['create pods/exec']));
  assert.equal(withheld?.verdict, 'denied', 'a guess by the name does not hide a refusal');
});

const BESIDE = [
  {
    name: 'everything granted: allowed',
    it: {},
    denied: [],
    rung: { verdict: 'allowed', because: 'everything it needs is granted in namespace shop' },
  },
  {
    name: 'the right to add it is withheld: denied, and the right is named',
    it: {},
    denied: ['patch pods/ephemeralcontainers'],
    rung: {
      verdict: 'denied',
      because: 'patch pods/ephemeralcontainers is not granted in namespace shop',
    },
  },
  {
    name: 'no image is configured: denied, and the setting is named',
    it: { ephemeral: false },
    denied: [],
    rung: {
      verdict: 'denied',
      because: 'no image for ephemeral containers is configured (EPHEMERAL_IMAGE)',
    },
  },
  {
    name: 'the target is an ephemeral container itself: denied',
    it: { container: { ...container, kind: 'ephemeral' as const } },
    denied: [],
    rung: {
      verdict: 'denied',
      because: 'an ephemeral container cannot have another one beside it',
    },
  },
  {
    name: 'a Windows container: denied',
    it: { container: { ...container, os: 'windows' as const } },
    denied: [],
    rung: {
      verdict: 'denied',
      because: 'the collector does not run in Windows containers',
    },
  },
];

for (const { name, it, denied, rung } of BESIDE) {
  test(`ephemeral container: ${name}`, () => {
    const rungs = ladderFor({ ...sought, ...it }, grants(denied));
    const own = { method: 'ephemeral-container', executor: 'kubernetes', ...rung };
    assert.deepEqual(rungs[1], own);
    assert.equal(rungs.length, 2);
  });
}

test('without an image nobody is asked about the right to use one', () => {
  const names = rightsNeeded(false).map(rightText);
  assert.deepEqual(names, ['get pods', 'get pods/exec', 'create pods/exec']);
  const more = rightsNeeded(true).map(rightText);
  assert.deepEqual(more, [...names, 'patch pods/ephemeralcontainers']);
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

const executor = (rights: readonly Right[]) =>
  ({ who: 'executor', account: undefined, rights }) as const;

test('the manifest grants what is denied, for this pod, and nothing else', () => {
  const rights = missingOf(grants(['create pods/exec']));
  const manifest = grantManifest(target, [executor(rights)]) ?? '';
  assert.match(
    manifest,
    /resources: \['pods\/exec'\]\n {4}resourceNames: \['cart-7f9c'\]\n {4}verbs: \['create'\]/,
  );
  assert.equal(manifest.match(/verbs:/g)?.length, 1);
  assert.match(manifest, /kind: RoleBinding/);
});

test('where nothing is denied there is no manifest', () => {
  assert.deepEqual(missingOf(grants([])), []);
  assert.deepEqual(missingOf(unknownGrants('x')), []);
  assert.equal(grantManifest(target, [executor([])]), undefined);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import type { KubernetesTarget } from '@impound/contracts/target.ts';
import {
  type ContainerFacts,
  describe,
  isAmbiguity,
  marksOf,
  onlyContainer,
  onlyPod,
  type PodFacts,
  shellGuess,
} from './pod.ts';

const container = (change: Partial<ContainerFacts> = {}): ContainerFacts => ({
  name: 'cart',
  kind: 'container',
  image: 'registry.example/shop/cart:1.4',
  state: 'running',
  restarts: 0,
  ...change,
});
const pod = (change: Partial<PodFacts> = {}): PodFacts => ({
  namespace: 'shop',
  name: 'cart-1',
  uid: 'u-1',
  os: 'linux',
  containers: [container()],
  ...change,
});
const named: KubernetesTarget = {
  kind: 'kubernetes',
  cluster: 'c',
  namespace: 'shop',
  pod: 'cart-1',
};
const selected: KubernetesTarget = {
  kind: 'kubernetes',
  cluster: 'c',
  namespace: 'shop',
  selector: 'app=cart',
};

test('a selector that fits one pod means that pod', () => {
  const one = pod();
  assert.equal(onlyPod(selected, [one]), one);
});

test('a selector that fits nothing, and one that fits several, are told apart, with the names', () => {
  const none = onlyPod(selected, []);
  assert.ok(isAmbiguity(none) && none.code === 'pod-not-found');
  const several = onlyPod(selected, [pod(), pod({ name: 'cart-2' })]);
  assert.ok(isAmbiguity(several) && several.code === 'selector-ambiguous');
  assert.match(several.because, /2 pods fit app=cart.*cart-1, cart-2/);
});

test('many fitting pods are counted, and only some are named', () => {
  const pods = Array.from({ length: 40 }, (_, i) => pod({ name: `cart-${i}` }));
  const several = onlyPod(selected, pods);
  assert.ok(isAmbiguity(several));
  assert.match(several.because, /40 pods fit.*and 28 more$/);
});

const init = container({ name: 'init', kind: 'init' });
const sidecar = container({ name: 'proxy' });
const choices = [
  ['the only container needs no name', named, [container()], 'cart'],
  ['init containers do not make it ambiguous', named, [init, container()], 'cart'],
  ['a named one is taken', { ...named, container: 'proxy' }, [container(), sidecar], 'proxy'],
  ['an init container can be named', { ...named, container: 'init' }, [init, container()], 'init'],
  ['two need a name', named, [container(), sidecar], 'container-ambiguous'],
  [
    'a wrong name is told with the right ones',
    { ...named, container: 'x' },
    [container()],
    'container-not-found',
  ],
] as const;

for (const [name, target, containers, expected] of choices) {
  test(`which container: ${name}`, () => {
    const found = onlyContainer(target, pod({ containers }));
    assert.equal(isAmbiguity(found) ? found.code : found.name, expected);
    if (isAmbiguity(found)) assert.match(found.because, /cart/);
  });
}

test('what is described fits the contract, with and without the optional facts', () => {
  const shape = TargetResolvedV1.shape.shape.container;
  const full = container({
    imageDigest: 'sha256:aa',
    containerId: 'containerd://1',
    startedAt: '2026-11-20T08:00:00.000000Z',
    user: 0,
  });
  assert.deepEqual(
    shape.parse(describe(pod({ node: 'node1', runtime: 'containerd' }), full)).node,
    'node1',
  );
  assert.equal(shape.parse(describe(pod(), container())).containerId, undefined);
});

for (const [image, guess] of [
  ['gcr.io/distroless/static-debian12', 'unlikely'],
  ['registry.k8s.io/pause:3.9', 'unlikely'],
  ['docker.io/library/nginx:1.27', 'likely'],
  ['alpine@sha256:aa', 'likely'],
  ['registry.example/shop/cart:1.4', 'unknown'],
] as const) {
  test(`an image called ${image}: a shell is ${guess}`, () =>
    assert.equal(shellGuess(image), guess));
}

test('nothing is hidden: system namespaces and distroless images are marked with what can be done', () => {
  const marks = marksOf(
    pod({ namespace: 'kube-system' }),
    container({ image: 'gcr.io/distroless/base' }),
  );
  assert.match(marks.join('; '), /system namespace.*distroless: exec needs a shell/);
  assert.deepEqual(marksOf(pod(), container()), []);
});

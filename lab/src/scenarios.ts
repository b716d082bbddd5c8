// SPDX-License-Identifier: Apache-2.0

import type { AccountSpec, LabOptions, NamespaceSpec, PodSpec } from './options.ts';
import { compromisedCart } from './scenario/compromised-cart.ts';

/** Where the break-in of the demo is. */
export const DEMO_TARGET = {
  cluster: 'demo',
  namespace: 'shop',
  pod: 'cart-7f9c6d5b8-x2k4q',
  container: 'cart',
} as const;

/** Account of the demo with exactly what an acquisition needs in namespace shop. */
export const DEMO_COLLECTOR = 'impound/collector';
/** Account of the demo that may look but not touch. */
export const DEMO_READER = 'impound/reader';
/** Account of the demo without any right. */
export const DEMO_STRANGER = 'impound/stranger';

/**
 * A small shop whose cart has been broken into, and ordinary pods around it: a distroless one, a
 * multi-container one with an init container, a Pending, a Completed, and kube-system.
 */
export function demoScenario(): LabOptions {
  return {
    cluster: DEMO_TARGET.cluster,
    namespaces: [
      { name: 'default' },
      { name: 'impound' },
      { name: 'kube-system', pods: kubeSystem(), configMaps: [CLUSTER_INFO] },
      shop(),
    ],
    accounts: demoAccounts(),
  };
}

function demoAccounts(): AccountSpec[] {
  const read = ['get', 'list', 'watch'];
  const look = [
    { resources: ['namespaces', 'nodes', 'pods', 'events', 'serviceaccounts'], verbs: read },
    { apiGroups: ['apps'], resources: ['deployments', 'replicasets'], verbs: read },
  ];
  return [
    {
      name: DEMO_COLLECTOR,
      rules: [
        ...look,
        { namespace: 'shop', resources: ['pods/log'], verbs: ['get'] },
        { namespace: 'shop', resources: ['pods/exec'], verbs: ['get', 'create'] },
        { namespace: 'shop', resources: ['pods/ephemeralcontainers'], verbs: ['get', 'patch'] },
      ],
    },
    { name: DEMO_READER, rules: look },
    { name: DEMO_STRANGER, rules: [] },
  ];
}

const CLUSTER_INFO = {
  name: 'kubeadm-config',
  data: { ClusterConfiguration: 'clusterName: demo\n' },
};

function shop(): NamespaceSpec {
  return {
    name: 'shop',
    labels: { team: 'web' },
    secrets: [
      { name: 'cart-db', data: { username: 'cart', password: 'not-a-real-password' } },
      {
        name: 'registry',
        type: 'kubernetes.io/dockerconfigjson',
        data: { '.dockerconfigjson': '{}' },
      },
    ],
    configMaps: [{ name: 'cart-config', data: { 'cart.ini': 'currency=EUR\nworkers=2\n' } }],
    pods: [
      compromisedCart(DEMO_TARGET.pod),
      storefront(),
      payments(),
      {
        name: 'migrate-x8z2p',
        labels: { app: 'migrate' },
        restartPolicy: 'Never',
        containers: [shell('migrate', 'echo migrating; echo done')],
      },
      {
        name: 'search-5d7f8c9b6-pend1',
        labels: { app: 'search' },
        unschedulable: '0/1 nodes are available: 1 Insufficient memory.',
        containers: [shell('search', 'sleep infinity')],
      },
    ],
  };
}

function storefront(): PodSpec {
  return {
    name: 'storefront-6b8d9f7c4-m3n5p',
    deployment: 'storefront',
    labels: { app: 'storefront', tier: 'front' },
    volumes: [{ name: 'shared', files: [{ path: 'banner.txt', text: 'winter sale\n' }] }],
    initContainers: [shell('init-assets', 'echo assets ready')],
    containers: [
      {
        ...shell('web', 'echo web started; exec sleep infinity'),
        mounts: [{ name: 'shared', path: '/srv/shared' }],
      },
      {
        ...shell('log-shipper', 'echo shipping; exec sleep infinity'),
        mounts: [{ name: 'shared', path: '/shared' }],
      },
    ],
  };
}

function payments(): PodSpec {
  return {
    name: 'payments-84c5d7f6b-d1str',
    deployment: 'payments',
    labels: { app: 'payments', runtime: 'distroless' },
    containers: [
      {
        name: 'payments',
        image: 'registry.example/shop/payments:2.4.1',
        flavor: 'distroless',
        env: { PAYMENTS_MODE: 'live' },
        files: [{ path: '/app/config.json', text: '{"provider":"example"}\n' }],
      },
    ],
  };
}

function shell(name: string, script: string) {
  return {
    name,
    image: `registry.example/shop/${name}:1.0.0`,
    flavor: 'debian' as const,
    command: ['/bin/sh', '-c', script],
  };
}

function kubeSystem(): PodSpec[] {
  const system = (name: string, app: string): PodSpec => ({
    name,
    labels: { 'k8s-app': app },
    containers: [
      {
        name: app,
        image: `registry.k8s.io/${app}:v1.36.2`,
        flavor: 'distroless',
      },
    ],
  });
  return [system('coredns-7c65d6cfc9-4xq2j', 'coredns'), system('kube-proxy-n8w5v', 'kube-proxy')];
}

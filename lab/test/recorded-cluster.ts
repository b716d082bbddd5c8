// SPDX-License-Identifier: Apache-2.0
import type { AccountSpec, ContainerSpec, LabOptions, PodSpec, RuleSpec } from '../src/options.ts';

const FOREVER = 'trap "exit 0" TERM; while :; do sleep 1; done';

function app(script = FOREVER, more: Partial<ContainerSpec> = {}): ContainerSpec {
  const command = ['/bin/sh', '-c', script];
  return { name: 'app', image: 'localhost/busybox:1', flavor: 'busybox', command, ...more };
}

function pod(
  name: string,
  containers: readonly ContainerSpec[],
  more: Partial<PodSpec> = {},
): PodSpec {
  return { name, labels: { app: name }, containers, gracePeriodSeconds: 1, ...more };
}

const DISTROLESS: ContainerSpec = {
  name: 'distroless',
  image: 'localhost/pause:1',
  flavor: 'distroless',
};

const WEB = app(
  `echo "app started"; mkdir -p /srv/app && echo hello >/srv/app/index.html; ${FOREVER}`,
);

function shopPods(): PodSpec[] {
  return [
    pod('web', [WEB, DISTROLESS], {
      labels: { app: 'web', tier: 'front' },
      initContainers: [app('echo schema ready', { name: 'init-schema' })],
    }),
    pod('single', [app()]),
    pod('sharedpid', [app(), DISTROLESS]),
    pod('sidecar', [app()], { initContainers: [app(FOREVER, { name: 'proxy', sidecar: true })] }),
    pod('initstuck', [app()], { initContainers: [app(FOREVER, { name: 'wait' })] }),
    pod('crash', [app('echo boom; exit 1', { previousLog: 'attempt at 1795405512\nboom\n' })]),
    pod('done', [app('echo finished')], { restartPolicy: 'Never' }),
    pod('failed', [app('exit 3')], { restartPolicy: 'Never' }),
    pod('pending', [app()], { unschedulable: '0/1 nodes are available' }),
    pod('noimage', [app(FOREVER, { waiting: { reason: 'ErrImageNeverPull' } })]),
    pod('nonroot-as-root', [app(FOREVER, { waiting: { reason: 'CreateContainerConfigError' } })]),
    pod('rofs', [app(FOREVER, { readOnlyRoot: true })]),
    pod('nonroot', [app(FOREVER, { user: 65532, group: 65532 })]),
    ...['distroless', 'distroless-nocaps', 'distroless-nonroot', 'distroless-shared'].map((name) =>
      pod(name, [{ ...DISTROLESS, name: 'app' }], { labels: { app: 'distroless' } }),
    ),
  ];
}

function account(name: string, rules: readonly RuleSpec[]): AccountSpec {
  return { name: `shop/${name}`, rules: rules.map((rule) => ({ namespace: 'shop', ...rule })) };
}

const READ = ['get', 'list'];
const WATCH = [...READ, 'watch'];
const PODS = ['pods'];
const EXEC = ['pods/exec'];

const ACCOUNTS = [
  account('norights', []),
  account('podreader', [{ resources: PODS, verbs: WATCH }]),
  account('logreader', [
    { resources: PODS, verbs: READ },
    { resources: ['pods/log'], verbs: ['get'] },
  ]),
  account('exec-get', [
    { resources: PODS, verbs: READ },
    { resources: EXEC, verbs: ['get'] },
  ]),
  account('exec-create', [
    { resources: PODS, verbs: READ },
    { resources: EXEC, verbs: ['create'] },
  ]),
  account('exec-both', [
    { resources: PODS, verbs: READ },
    { resources: EXEC, verbs: ['get', 'create'] },
  ]),
  account('exec-both-noget', [{ resources: EXEC, verbs: ['get', 'create'] }]),
  account('named-exec', [
    { resources: PODS, verbs: ['get'], resourceNames: ['web'] },
    { resources: EXEC, verbs: ['get', 'create'], resourceNames: ['web'] },
  ]),
  account('debugger', [
    { resources: PODS, verbs: WATCH },
    { resources: ['pods/exec', 'pods/attach'], verbs: ['get', 'create'] },
    { resources: ['pods/ephemeralcontainers'], verbs: ['get', 'patch', 'update'] },
    { resources: ['pods/log'], verbs: ['get'] },
    { resources: ['events'], verbs: ['list'] },
  ]),
];

/** The cluster the recordings were made in, as far as the replayed steps need it. */
export function recordedCluster(): LabOptions {
  return {
    cluster: 'recorded',
    accounts: ACCOUNTS,
    namespaces: [
      { name: 'shop', pods: shopPods() },
      { name: 'lab', pods: [pod('refuse', [app(FOREVER, { name: 'main' })])] },
      { name: 'default', pods: [pod('web', [app()])] },
    ],
  };
}

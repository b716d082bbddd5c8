// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { ADMIN, accountUser, type User } from './api/authorization.ts';
import type { Fault, InjectedFault } from './api/faults.ts';
import { type ApiServer, type AuditEntry, startServer } from './api/server.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { kubeconfig } from './kubeconfig.ts';
import type { LabOptions } from './options.ts';
import { type Kubelet, kubelet } from './pods/kubelet.ts';
import { type ContainerRecord, containerOf, type PodRecord } from './pods/pod-record.ts';
import { openNodeNamespace } from './runtime/node-namespace.ts';
import { createWorld, type EventText, type World } from './world.ts';

/** A running pretend cluster. Disposing it ends every process and removes every file. */
export interface Lab extends AsyncDisposable {
  /** The cluster's name, as in the kubeconfigs. */
  readonly cluster: string;
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** PEM of the certificate authority made for this start. */
  readonly authority: string;
  /** Every request so far, in the order of their ends. */
  readonly audit: readonly AuditEntry[];
  /** The bearer token of `admin` or of an account, `namespace/name`; throws for another name. */
  token(account: string): string;
  /** A kubeconfig (YAML text) for that account. */
  kubeconfig(account: string): string;
  /** The directory that is the container's root, on the host. */
  filesOf(namespace: string, pod: string, container: string): string;
  /** The main process's id as the host counts. */
  pidOf(namespace: string, pod: string, container: string): number;
  /** Ends the pod's containers (SIGKILL after the grace period, default 0) and removes it. */
  deletePod(namespace: string, pod: string, graceSeconds?: number): Promise<void>;
  /** Kills a container's main process and waits for its end; it is not started again. */
  killContainer(namespace: string, pod: string, container: string): Promise<void>;
  /** Makes requests go wrong until the result is disposed. */
  inject(fault: Fault): InjectedFault;
  /** Adds an event about a pod. */
  event(namespace: string, pod: string, event: EventText): void;
}

/**
 * Starts a cluster: processes in namespaces and an API server in front of them. Needs openssl,
 * util-linux, and root or user namespaces; throws one error that says what is missing.
 */
export async function startCluster(options: LabOptions, signal?: AbortSignal): Promise<Lab> {
  signal?.throwIfAborted();
  await using scope = new AsyncDisposableStack();
  const certificates = await makeCertificates();
  const node = scope.use(await openNodeNamespace(signal));
  const world = createWorld(options);
  const keeper = kubelet(node, world.touch);
  const starts = world.pods().map((pod) => startPod(world, keeper, pod, signal));
  for (const start of await Promise.allSettled(starts)) {
    if (start.status === 'rejected') throw start.reason;
  }
  const tokens = new Map<string, string>([['admin', newToken()]]);
  const users = new Map<string, User>([[tokens.get('admin') ?? '', ADMIN]]);
  for (const account of options.accounts ?? []) {
    const token = newToken();
    tokens.set(account.name, token);
    users.set(token, accountUser(account, accountUid(world, account.name)));
  }
  const server = scope.use(await startServer({ world, kubelet: keeper, certificates, users }));
  signal?.throwIfAborted();
  const owned = scope.move();
  return labOf({ world, keeper, server, tokens, certificates, owned });
}

async function startPod(
  world: World,
  keeper: Kubelet,
  ...[pod, signal]: [PodRecord, AbortSignal | undefined]
): Promise<void> {
  const { unschedulable, name } = pod.spec;
  if (unschedulable !== undefined) {
    world.event(pod, { reason: 'FailedScheduling', message: unschedulable, type: 'Warning' });
    return;
  }
  const message = `Successfully assigned ${pod.namespace}/${name} to ${pod.nodeName}`;
  world.event(pod, { reason: 'Scheduled', message });
  await keeper.start(pod, signal);
  for (const one of pod.containers.filter((record) => record.running !== undefined)) {
    world.event(pod, { reason: 'Started', message: `Started container ${one.spec.name}` });
  }
}

function newToken(): string {
  return `lab-${randomBytes(32).toString('base64url')}`;
}

function accountUid(world: World, account: string): string {
  const [namespace, name] = account.split('/');
  const found = world
    .objects('serviceaccounts')
    .find((one) => one.metadata.namespace === namespace && one.metadata.name === name);
  return found?.metadata.uid ?? '';
}

interface Parts {
  readonly world: World;
  readonly keeper: Kubelet;
  readonly server: ApiServer;
  readonly tokens: ReadonlyMap<string, string>;
  readonly certificates: Certificates;
  readonly owned: AsyncDisposableStack;
}

function labOf({ world, keeper, server, tokens, certificates, owned }: Parts): Lab {
  const { authority } = certificates;
  const token = (account: string): string => {
    const found = tokens.get(account);
    if (found !== undefined) return found;
    throw new Error(`No account "${account}" here. There are: ${[...tokens.keys()].join(', ')}.`);
  };
  return {
    cluster: world.cluster,
    url: server.url,
    authority,
    audit: server.audit,
    token,
    kubeconfig: (account) =>
      kubeconfig({
        cluster: world.cluster,
        server: server.url,
        authority,
        account,
        token: token(account),
      }),
    filesOf: (...place) => containerAt(world, place).rootfs?.path ?? '',
    pidOf: (...place) => containerAt(world, place).running?.pid ?? 0,
    deletePod: async (namespace, name, graceSeconds = 0) => {
      const pod = podAt(world, namespace, name);
      await keeper.stop(pod, graceSeconds);
      world.remove(pod);
    },
    killContainer: async (...place) => {
      const { running } = containerAt(world, place);
      running?.kill();
      await running?.ended;
    },
    inject: (fault) => server.faults.inject(fault),
    event: (namespace, pod, event) => world.event(podAt(world, namespace, pod), event),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function podAt(world: World, namespace: string, name: string): PodRecord {
  const pod = world.pod(namespace, name);
  if (pod === undefined) throw new Error(`No pod "${namespace}/${name}" in this lab.`);
  return pod;
}

function containerAt(world: World, place: readonly [string, string, string]): ContainerRecord {
  const [namespace, pod, name] = place;
  const record = containerOf(podAt(world, namespace, pod), name);
  if (record === undefined) throw new Error(`No container "${name}" in ${namespace}/${pod}.`);
  return record;
}

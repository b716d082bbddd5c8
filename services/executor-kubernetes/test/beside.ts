// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { WorkerId } from '@impound/contracts/ids.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { evidenceMembers } from '@impound/evidence/reader.ts';
import type { EvidenceSink, ObjectSink } from '@impound/evidence/sink.ts';
import { type MemorySink, memorySink } from '@impound/evidence/testing/memory-sink.ts';
import type { Assignment } from '@impound/executor/collect.ts';
import { collectBy, type Ways } from '@impound/executor/ways.ts';
import { type Clusters, clustersFrom } from '@impound/kubernetes/clusters.ts';
import { type DebuggerTerms, debuggerShell } from '@impound/kubernetes/debugger/shell.ts';
import { getPod } from '@impound/kubernetes/pods.ts';
import { kubernetesPresence } from '@impound/kubernetes/presence.ts';
import { kubernetesShell } from '@impound/kubernetes/shell.ts';
import { type Lab, startCluster } from '@impound/lab/cluster.ts';
import type { ContainerSpec, NamespaceSpec, PodSpec } from '@impound/lab/options.ts';
import { DEMO_COLLECTOR, demoScenario } from '@impound/lab/scenarios.ts';
import { newId } from '@impound/runtime/ids.ts';

const COLLECT_MS_MAX = 60_000;
export const CLUSTER = 'demo';
export const ABSENT_IMAGE = 'registry.example/absent:1';
export const TERMS: DebuggerTerms = { image: 'registry.example/busybox:1', ptraceAllowed: false };

/** A distroless pod with one file to look for, which only its own user may read. */
function pod(name: string, more: Partial<ContainerSpec> = {}): PodSpec {
  const files = [{ path: '/app/secret.txt', text: `of ${name}\n`, mode: 0o400 }];
  const image = `registry.example/${name}:1`;
  return { name, containers: [{ name: 'app', image, flavor: 'distroless', files, ...more }] };
}

const NONROOT = { user: 65_532, group: 65_532 };

function space(name: string, enforce: string, pods: readonly PodSpec[]): NamespaceSpec {
  return { name, labels: { 'pod-security.kubernetes.io/enforce': enforce }, pods };
}

const SPACES = [
  space('free', 'privileged', [
    pod('nonroot', NONROOT),
    pod('image-user', { ...NONROOT, userOfImage: true }),
    pod('mighty', { privileged: true }),
    pod('rooted'),
  ]),
  space('strict', 'restricted', [pod('nonroot', NONROOT), pod('rooted')]),
];

/** The demo's cluster and more distroless pods, with what reaches it. */
export async function openLab(scope: AsyncDisposableStack) {
  const directory = await mkdtemp(join(tmpdir(), 'impound-beside-'));
  scope.defer(() => rm(directory, { recursive: true, force: true }));
  const demo = demoScenario();
  const rules = ['free', 'strict'].flatMap((namespace) => [
    { namespace, resources: ['pods/exec'], verbs: ['get', 'create'] },
    { namespace, resources: ['pods/ephemeralcontainers'], verbs: ['patch'] },
  ]);
  const accounts = (demo.accounts ?? []).map((one) =>
    one.name === DEMO_COLLECTOR ? { ...one, rules: [...one.rules, ...rules] } : one,
  );
  const namespaces = [...demo.namespaces, ...SPACES];
  const options = { ...demo, namespaces, accounts, absentImages: [ABSENT_IMAGE] };
  const lab = scope.use(await startCluster(options));
  const kubeconfig = join(directory, 'kubeconfig');
  const file = join(directory, 'clusters.json');
  await writeFile(kubeconfig, lab.kubeconfig(DEMO_COLLECTOR));
  await writeFile(file, JSON.stringify({ [CLUSTER]: { kubeconfig } }));
  return { lab, clusters: clustersFrom(file) };
}

/** One container of the lab. */
export interface Where {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** An assignment of the second rung for that container. */
export function assignment(where: Where, more: object = {}): Assignment {
  const data = AcquisitionAssignedV1.shape.parse({
    ...AcquisitionAssignedV1.example,
    method: 'ephemeral-container',
    target: { kind: 'kubernetes', cluster: CLUSTER, ...where },
    containerId: undefined,
    profile: 'triage',
    paths: ['/app'],
    deadline: timeOf(Date.now() + COLLECT_MS_MAX),
    ...more,
  });
  return { tenant: 'default', acquisitionId: newId(), data } as Assignment;
}

/** Collects as the service does, into memory. */
export async function collectFrom(
  clusters: Clusters,
  message: Assignment,
  terms: DebuggerTerms = TERMS,
) {
  const sink = memorySink();
  const ways: Ways = {
    shell: kubernetesShell(clusters),
    beside: (attempt) => debuggerShell(clusters, terms, attempt),
    presence: kubernetesPresence(clusters),
    store: { sink: () => withKeys(sink) },
  };
  const work = { worker: WorkerId.parse('k8s-1-aa'), progress: () => undefined };
  const said = await collectBy(message, ways, work, AbortSignal.timeout(COLLECT_MS_MAX));
  return { said, sink };
}

/** A real store says where it keeps an object. */
function withKeys(sink: EvidenceSink): EvidenceSink {
  return {
    object: async (name, signal) => {
      const object = await sink.object(name, signal);
      const complete: ObjectSink['complete'] = async (whole) => ({
        ...(await object.complete(whole)),
        key: `default/memory/e1/${name}`,
      });
      return { ...object, complete };
    },
  };
}

/** The regular files of a capture, by their paths in the target. */
export async function filesIn(sink: MemorySink): Promise<ReadonlyMap<string, Buffer>> {
  const [, archive] = [...sink.objects].find(([name]) => name.includes('.tar')) ?? [];
  const found = new Map<string, Buffer>();
  const whole = (async function* () {
    if (archive !== undefined) yield archive;
  })();
  for await (const member of evidenceMembers(whole, AbortSignal.timeout(COLLECT_MS_MAX))) {
    const name = member.name.toString();
    if (member.type !== 'file' || !name.startsWith('files/')) continue;
    found.set(name.slice('files'.length), Buffer.concat(await Array.fromAsync(member.content)));
  }
  return found;
}

/** The regular files below a directory of the host, but for those of kernel and devices. */
export async function filesBelow(root: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = `/${relative(root, join(entry.parentPath, entry.name))}`;
    if (!entry.isFile() || /^\/(proc|sys|dev)\//.test(path)) continue;
    found.set(path, await readFile(join(root, path)));
  }
  return found;
}

/** The ephemeral containers of a pod, as the API tells. */
export async function debuggersOf(clusters: Clusters, where: Where) {
  const connection = await clusters.connection(CLUSTER);
  const { containers } = await getPod(connection, where, AbortSignal.timeout(COLLECT_MS_MAX));
  return containers.filter((one) => one.kind === 'ephemeral');
}

/** How many processes live beside a container's first one, as the host counts. */
export async function processesBeside(lab: Lab, { namespace, pod, container }: Where) {
  const own = lab.pidOf(namespace, pod, container);
  const namespaceOf = (pid: string | number) => readlink(`/proc/${pid}/ns/pid`).catch(() => '');
  const wanted = await namespaceOf(own);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(pids.map(namespaceOf));
  return all.filter((one) => one === wanted).length - 1;
}

// SPDX-License-Identifier: Apache-2.0
import { getBytes } from '@impound/kubernetes/api.ts';
import type { ClusterConnection } from '@impound/kubernetes/connection.ts';
import { digestData } from '@impound/kubernetes/digest.ts';
import { listPodEvents } from '@impound/kubernetes/events.ts';
import { KubernetesFault } from '@impound/kubernetes/fault.ts';
import { getNode } from '@impound/kubernetes/node.ts';
import { ownerChain } from '@impound/kubernetes/owners.ts';
import type { Pod, PodContainer } from '@impound/kubernetes/pod.ts';
import { containerLog, getPod, type PodName, podIn, podPath } from '@impound/kubernetes/pods.ts';

/** One thing that was asked of the API server, and what came of it. */
export interface ContextItem {
  readonly path: string;
  readonly verdict: 'got' | 'partial' | 'denied' | 'absent';
  readonly because?: string | undefined;
  readonly content?: Buffer | undefined;
}

const POD_BYTES_MAX = 4_194_304;
const LOG_BYTES_MAX = 8_388_608;
const EVENTS_MAX = 1_000;
const REFERENCES_MAX = 50;

interface Got {
  readonly content: Buffer;
  /** Why it is not the whole. */
  readonly partial?: string | undefined;
}

/** Which pod: another one may have its name by now. */
export interface ContextPod extends PodName {
  readonly uid: string;
}

/**
 * Everything the control plane knows of a pod, the decisive first: the pod itself, the logs that
 * would go with it, events, owners, node, and what it refers to by name and hash. What comes later
 * is asked for while what came before is written.
 */
export async function* contextItems(
  connection: ClusterConnection,
  { uid, ...name }: ContextPod,
  signal: AbortSignal,
): AsyncGenerator<ContextItem> {
  const events = item('events.json', signal, async () => {
    const query = { ...name, uid, itemsMax: EVENTS_MAX };
    const { events, cut } = await listPodEvents(connection, query, signal);
    return { content: json(events), partial: cut ? 'there are more than 1,000' : undefined };
  });
  const itself = item('pod.json', signal, async () => {
    const call = { path: podPath(name), bytesMax: POD_BYTES_MAX };
    const { bytes, cut } = await getBytes(connection, call, signal);
    return { content: Buffer.from(bytes), partial: cut ? 'larger than 4 MiB' : undefined };
  });
  const read = await itself();
  const pod = await podOf(read, { connection, name }, signal);
  if (pod !== undefined && pod.metadata.uid !== uid) {
    yield { path: 'pod.json', verdict: 'absent', because: 'another pod has its name by now' };
    return yield* inOrder([events]);
  }
  yield read;
  if (pod === undefined) return yield* inOrder([events]);
  yield* inOrder([
    ...pod.containers.flatMap((container) => logs({ connection, name, container }, signal)),
    events,
    ...around(connection, pod, signal),
  ]);
}

/** The pod that is in what was read; one that was cut off is asked for once more. */
async function podOf(
  { verdict, content }: ContextItem,
  { connection, name }: { readonly connection: ClusterConnection; readonly name: PodName },
  signal: AbortSignal,
): Promise<Pod | undefined> {
  if (content === undefined) return undefined;
  if (verdict === 'partial') return await getPod(connection, name, signal).catch(() => undefined);
  try {
    return podIn(JSON.parse(content.toString('utf8')), name);
  } catch {
    return undefined;
  }
}

function around(connection: ClusterConnection, pod: Pod, signal: AbortSignal): Asking[] {
  const { nodeName: node } = pod.spec;
  return [
    item('owners.json', signal, async () => ({
      content: json(await ownerChain(connection, pod, signal)),
    })),
    ...(node === undefined
      ? []
      : [
          item('node.json', signal, async () => ({
            content: json(await getNode(connection, node, signal)),
          })),
        ]),
    ...references(connection, pod, signal),
  ];
}

type Asking = () => Promise<ContextItem>;

/** So many answers may wait to be written; each is bounded. */
const ASKED_AT_ONCE_MAX = 4;

/** Asks some at once, gives the answers in order. */
async function* inOrder(all: readonly Asking[]): AsyncGenerator<ContextItem> {
  const asked: Promise<ContextItem>[] = [];
  for (let at = 0; at < all.length; at++) {
    for (const ask of all.slice(asked.length, at + ASKED_AT_ONCE_MAX)) {
      const answer = ask();
      // Waited for in its turn; until then a failure must not count as unhandled.
      answer.catch(() => undefined);
      asked.push(answer);
    }
    yield await (asked[at] as Promise<ContextItem>);
    // What was written needs no place any more.
    delete asked[at];
  }
}

interface Logged {
  readonly connection: ClusterConnection;
  readonly name: PodName;
  readonly container: PodContainer;
}

function logs({ connection, name, container }: Logged, signal: AbortSignal): Asking[] {
  const wanted = container.restartCount === 0 ? [false] : [false, true];
  return wanted.map((previous) =>
    item(`logs/${container.name}${previous ? '.previous' : ''}.log`, signal, async () => {
      const query = { ...name, container: container.name, previous, bytesMax: LOG_BYTES_MAX };
      const log = await containerLog(connection, { ...query, timestamps: true }, signal);
      return { content: Buffer.from(log.bytes), partial: log.cut ? 'the first 8 MiB' : undefined };
    }),
  );
}

/** By name always; by hash only where somebody has granted that their values can be read. */
function references(connection: ClusterConnection, pod: Pod, signal: AbortSignal): Asking[] {
  const { namespace } = pod.metadata;
  const names = [
    ...pod.references.secrets.map((name) => ({ kind: 'Secret' as const, namespace, name })),
    ...pod.references.configMaps.map((name) => ({ kind: 'ConfigMap' as const, namespace, name })),
  ];
  return [
    item('references.json', signal, async () => ({ content: json(pod.references) })),
    ...names.slice(0, REFERENCES_MAX).map((one) =>
      item(`digests/${one.kind}-${one.name}.json`, signal, async () => ({
        content: json(await digestData(connection, one, signal)),
      })),
    ),
  ];
}

function json(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

function item(path: string, signal: AbortSignal, read: () => Promise<Got>): Asking {
  return async () => {
    try {
      const { content, partial } = await read();
      if (partial === undefined) return { path, verdict: 'got', content };
      return { path, verdict: 'partial', because: partial, content };
    } catch (error) {
      if (signal.aborted || !(error instanceof KubernetesFault)) throw error;
      return { path, verdict: verdictOf(error), because: error.message };
    }
  };
}

function verdictOf(fault: KubernetesFault): 'denied' | 'absent' {
  return fault.code === 'forbidden' || fault.code === 'unauthorized' ? 'denied' : 'absent';
}

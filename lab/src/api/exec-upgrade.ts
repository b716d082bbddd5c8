// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { isRunning, type PodRecord } from '../pods/pod-record.ts';
import type { World } from '../world.ts';
import { type Answer, fromKubelet } from './answer.ts';
import { forbiddenUpgrade, type User, whyAllowed } from './authorization.ts';
import { chosenContainer, podOf } from './context.ts';
import { negotiate } from './exec-protocol.ts';
import { execSession } from './exec-session.ts';
import type { Fault } from './faults.ts';
import type { ResourceRequest } from './request-info.ts';
import { badRequest, notFound } from './status.ts';
import { acceptWebSocket } from './websocket.ts';

/** A request to become a WebSocket, authorized for its verb. */
export interface Upgrade {
  readonly world: World;
  readonly user: User;
  readonly asked: ResourceRequest;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly fault: Fault | undefined;
  /** Told when what it began in the container has ended. */
  readonly over: () => void;
}

/** Starts an exec, or gives the answer that refuses it. Throws a Status for what is not found. */
export function upgradeToExec(upgrade: Upgrade): Answer | undefined {
  const { world, user, asked, query, request } = upgrade;
  const websocket = /websocket/i.test(request.headers.upgrade ?? '');
  if (websocket && asked.verb === 'get') requireCreate(user, asked);
  const pod = podOf(world, asked);
  const record = chosenContainer(pod, query.get('container') ?? '');
  requireHost(world, pod);
  const refusal = kubeletRefusal(upgrade, websocket);
  if (refusal !== undefined) return refusal;
  const container = isRunning(record) ? record.running : undefined;
  if (container === undefined)
    return fromKubelet(500, `container not found ("${record.spec.name}")`);
  const protocol = negotiate(offeredProtocols(request));
  if (protocol === undefined) return { ...fromKubelet(403, ''), type: '' };
  const flag = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  const argv = query.getAll('command');
  const streams = { stdin: flag('stdin'), stdout: flag('stdout'), stderr: flag('stderr') };
  const { fault, over } = upgrade;
  execSession({ container, argv, ...streams, fault, over }, protocol, (events) =>
    acceptWebSocket(upgrade, protocol.name, events),
  );
  return undefined;
}

function requireCreate(user: User, asked: ResourceRequest): void {
  if (whyAllowed(user, { ...asked, verb: 'create' }) === undefined) throw forbiddenUpgrade(asked);
}

function offeredProtocols(request: IncomingMessage): string[] {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',');
  return offered.map((one) => one.trim()).filter((one) => one !== '');
}

function requireHost(world: World, pod: PodRecord): void {
  if (pod.nodeName === '') throw badRequest(`pod ${pod.spec.name} does not have a host assigned`);
  if (world.objects('nodes').some((one) => one.metadata.name === pod.nodeName)) return;
  throw notFound({ group: '', resource: 'pods', name: pod.nodeName });
}

function kubeletRefusal(upgrade: Upgrade, websocket: boolean): Answer | undefined {
  const { query, request } = upgrade;
  const accept = request.headers.accept ?? '*/*';
  if (!accept.includes('*/*')) {
    return fromKubelet(406, '406: Not Acceptable\n\nAvailable representations: ');
  }
  if (!['stdin', 'stdout', 'stderr'].some((one) => ['true', '1'].includes(query.get(one) ?? ''))) {
    return fromKubelet(400, 'you must specify at least 1 of stdin, stdout, stderr');
  }
  if (websocket && request.method !== 'GET') return { ...fromKubelet(405, 'bad method'), type: '' };
  if (websocket && ['true', '1'].includes(query.get('tty') ?? '')) {
    return fromKubelet(501, 'the lab has no terminals: ask without tty');
  }
  return websocket ? undefined : fromKubelet(501, 'the lab speaks WebSocket only, no SPDY');
}

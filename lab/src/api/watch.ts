// SPDX-License-Identifier: Apache-2.0
import type { Change } from '../world.ts';
import type { Context } from './context.ts';
import type { KubeObject } from './kube-object.ts';
import { selectObjects } from './lists.ts';
import type { ResourceType } from './resource-types.ts';
import { ApiStatus } from './status.ts';

const OLDEST_VERSION = 6_044;
const TIMEOUT_SECONDS = 1_800;

/** Answers a watch: one JSON event per line until the time is over or the client leaves. */
export function answerWatch(context: Context, type: ResourceType): void {
  const { world, query, response, asked, signal } = context;
  const select = (objects: readonly KubeObject[]): KubeObject[] =>
    selectObjects(objects, { type, namespace: asked.namespace, query, version: 0 });
  // A selector that cannot be read is answered before the stream begins.
  const present = select(world.objects(type.resource));
  response.writeHead(200, {
    'content-type': 'application/json',
    'cache-control': 'no-cache, private',
  });
  response.flushHeaders();
  const event = (name: string, object: unknown): void =>
    void response.write(`${JSON.stringify({ type: name, object })}\n`);
  const from = Number(query.get('resourceVersion') ?? 0);
  if (from > 0 && from < OLDEST_VERSION) {
    const message = `too old resource version: ${from} (${OLDEST_VERSION})`;
    event('ERROR', JSON.parse(new ApiStatus(410, 'Expired', message).body()));
    response.end();
    return;
  }
  const newer = (one: KubeObject): boolean => Number(one.metadata.resourceVersion) > from;
  for (const object of present.filter(newer)) event('ADDED', whole(type, object));
  const tell = (change: Change): void => {
    if (change.resource !== type.resource || select([change.object]).length === 0) return;
    event(change.type, whole(type, change.object));
  };
  world.changes.on('change', tell);
  const seconds = Number(query.get('timeoutSeconds') ?? TIMEOUT_SECONDS);
  const end = (): void => void response.end();
  const timer = setTimeout(end, seconds * 1000);
  signal.addEventListener('abort', end, { once: true });
  response.on('close', () => {
    clearTimeout(timer);
    world.changes.off('change', tell);
    signal.removeEventListener('abort', end);
  });
}

/** An object with the kind and apiVersion that list items lack. */
export function whole(type: ResourceType, object: KubeObject) {
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  return { kind: type.kind, apiVersion, ...object };
}

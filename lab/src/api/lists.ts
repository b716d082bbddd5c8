// SPDX-License-Identifier: Apache-2.0
import { isRecord } from './json.ts';
import type { KubeObject } from './kube-object.ts';
import type { ResourceType } from './resource-types.ts';
import { fieldSelector, labelSelector } from './selector.ts';
import { ApiStatus, badRequest } from './status.ts';

const OLDEST_VERSION = 6_044;

/** What a list is asked for. */
export interface ListQuery {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly query: URLSearchParams;
  /** The version of the world now. */
  readonly version: number;
}

/** Filters by namespace, labels and fields, in the order of keys. */
export function selectObjects(objects: readonly KubeObject[], asked: ListQuery): KubeObject[] {
  const byLabel = labelSelector(asked.query.get('labelSelector') ?? '');
  const byField = fieldSelector(asked.query.get('fieldSelector') ?? '', asked.type.fields);
  const here = (object: KubeObject): boolean =>
    asked.namespace === '' || object.metadata.namespace === asked.namespace;
  return objects
    .filter(here)
    .filter((object) => byLabel(object.metadata.labels ?? {}))
    .filter((object) => byField((field) => fieldOf(object, field)))
    .toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
}

function fieldOf(object: KubeObject, field: string): string {
  let value: unknown = object;
  for (const part of field.split('.')) value = isRecord(value) ? value[part] : undefined;
  return value === undefined || value === null ? '' : String(value);
}

function key(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** One page of a list, with the token for the next one if there is more. */
export function listPage(objects: readonly KubeObject[], asked: ListQuery): unknown {
  const { query, type } = asked;
  const token = query.get('continue') ?? '';
  const from = token === '' ? { rv: asked.version, start: '' } : readToken(token);
  requireKeptVersion(query);
  const rest = selectObjects(objects, asked).filter((object) => key(object) > from.start);
  const limit = Number(query.get('limit') ?? 0);
  const page = limit > 0 ? rest.slice(0, limit) : rest;
  const last = page.at(-1);
  const more = page.length < rest.length && last !== undefined;
  const next = more ? { continue: writeToken(from.rv, key(last)) } : {};
  const selected = ['labelSelector', 'fieldSelector'].some(
    (name) => (query.get(name) ?? '') !== '',
  );
  const left = more && !selected ? { remainingItemCount: rest.length - page.length } : {};
  return {
    kind: `${type.kind}List`,
    apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
    metadata: { resourceVersion: String(from.rv), ...next, ...left },
    items: page,
  };
}

function requireKeptVersion(query: URLSearchParams): void {
  const exact = query.get('resourceVersionMatch') === 'Exact';
  if (!exact || Number(query.get('resourceVersion')) >= OLDEST_VERSION) return;
  const message = 'The resourceVersion for the provided list is too old.';
  throw new ApiStatus(410, 'Expired', message);
}

function writeToken(rv: number, last: string): string {
  const token = JSON.stringify({ v: 'meta.k8s.io/v1', rv, start: `${last}\u0000` });
  return Buffer.from(token).toString('base64url');
}

function readToken(token: string): { readonly rv: number; readonly start: string } {
  try {
    const read: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (isRecord(read) && typeof read['rv'] === 'number' && typeof read['start'] === 'string') {
      return { rv: read['rv'], start: read['start'].replace(/\0$/, '') };
    }
  } catch {
    // Answered below, as is a token of another shape.
  }
  throw badRequest('invalid continue token: continue key is not valid');
}

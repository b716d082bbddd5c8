// SPDX-License-Identifier: Apache-2.0

/** What a request is about, as the API server takes it apart before it authorizes. */
export interface ResourceRequest {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** What follows the subresource, for `proxy`. */
  readonly rest: string;
}

/** A request on a path that is no resource, e.g. `/version`. */
export interface PathRequest {
  readonly verb: string;
  readonly path: string;
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  GET: 'get',
  HEAD: 'get',
};

/** Takes a request apart: a resource request, or a path one where no resource is named. */
export function requestInfo(
  method: string,
  path: string,
  query: URLSearchParams,
): ResourceRequest | PathRequest {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  const located = apiGroup(parts);
  if (located === undefined) return { verb: method.toLowerCase(), path };
  const { group, version } = located;
  let { rest } = located;
  let namespace = '';
  if (rest[0] === 'namespaces' && rest[1] !== undefined) {
    namespace = rest[1];
    // The namespace itself is a resource too: /namespaces/shop, /namespaces/shop/status.
    if (rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize') rest = rest.slice(2);
  }
  const [resource = '', name = '', subresource = '', ...others] = rest;
  const verb = verbOf(method, name, query);
  return { verb, group, version, namespace, resource, subresource, name, rest: others.join('/') };
}

function apiGroup(parts: readonly string[]) {
  if (parts[0] === 'api' && parts.length > 2) {
    return { group: '', version: parts[1] ?? '', rest: parts.slice(2) };
  }
  if (parts[0] === 'apis' && parts.length > 3) {
    return { group: parts[1] ?? '', version: parts[2] ?? '', rest: parts.slice(3) };
  }
  return undefined;
}

function verbOf(method: string, name: string, query: URLSearchParams): string {
  if (method === 'DELETE') return name === '' ? 'deletecollection' : 'delete';
  const watching = ['true', '1'].includes(query.get('watch') ?? '');
  if (method === 'GET' && name === '') return watching ? 'watch' : 'list';
  return VERBS[method] ?? method.toLowerCase();
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// SPDX-License-Identifier: Apache-2.0
import { KubernetesFault } from './fault.ts';

/** Query parameters; an array becomes a repeated parameter, undefined is left out. */
export type Query = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/** Longest single path segment that Kubernetes names allow, with room for any encoding. */
export const SEGMENT_CHARS_MAX = 253;

/** One encoded request target: every segment percent-encoded, none that a proxy could fold. */
export function requestPath(server: URL, segments: readonly string[], query: Query = {}): string {
  const prefix = server.pathname.replace(/\/+$/, '');
  const path = `${prefix}/${segments.map(encodeSegment).join('/')}`;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  }
  const search = parameters.toString();
  return search === '' ? path : `${path}?${search}`;
}

function encodeSegment(segment: string): string {
  const safe = segment !== '' && segment !== '.' && segment !== '..';
  if (safe && segment.length <= SEGMENT_CHARS_MAX && segment.isWellFormed()) {
    return encodeURIComponent(segment);
  }
  throw new KubernetesFault(
    'invalid-request',
    `${JSON.stringify(segment.slice(0, 40))} cannot be a name in a Kubernetes path; ` +
      'give the name of an object',
  );
}

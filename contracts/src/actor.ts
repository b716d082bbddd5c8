// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { text } from './ids.ts';

/** Who acts: a person, an integration or a service, and how we know. */
export const Actor = z.object({
  id: text(128),
  kind: z.enum(['person', 'integration', 'service']),
  authn: z.enum(['bearer-token', 'url-token', 'webhook', 'mutual-tls', 'nats', 'local', 'none']),
  /** Which of its credentials it showed. */
  credential: text(32).optional(),
});
export type Actor = z.output<typeof Actor>;

const NAMES = [
  'requestedBy',
  'approvedBy',
  'refusedBy',
  'accessedBy',
  'deniedTo',
  'triggeredBy',
  'readBy',
];

/** What the data of an event says of who acted; undefined: nothing, so it was who said it. */
export function actorIn(data: Readonly<Record<string, unknown>>): unknown {
  return NAMES.map((name) => data[name]).find((actor) => actor !== undefined);
}

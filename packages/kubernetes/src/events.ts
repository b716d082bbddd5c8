// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import type { ClusterConnection } from './connection.ts';
import { list } from './list.ts';
import { maybeNumber, maybeText, parsed, section } from './shape.ts';

const EventObject = z.object({
  metadata: z.object({ name: z.string(), uid: maybeText }),
  involvedObject: section(z.object({ uid: maybeText, fieldPath: maybeText })),
  type: maybeText,
  reason: maybeText,
  message: maybeText,
  count: maybeNumber,
  firstTimestamp: maybeText,
  lastTimestamp: maybeText,
  eventTime: maybeText,
  reportingComponent: maybeText,
  source: section(z.object({ component: maybeText, host: maybeText })),
});

/** An event of the core API. The cluster forgets them, mostly after an hour. */
export type ClusterEvent = z.output<typeof EventObject>;

/** Whose events to list. */
export interface EventQuery {
  readonly namespace: string;
  readonly pod: string;
  /** Keeps events of an earlier pod of the same name out. */
  readonly uid?: string | undefined;
  readonly itemsMax: number;
}

/** Lists the events of one pod. */
export async function listPodEvents(
  connection: ClusterConnection,
  { namespace, pod, uid, itemsMax }: EventQuery,
  signal: AbortSignal,
): Promise<{ readonly events: readonly ClusterEvent[]; readonly cut: boolean }> {
  const terms = { 'involvedObject.kind': 'Pod', 'involvedObject.name': pod };
  const path = ['api', 'v1', 'namespaces', namespace, 'events'];
  const query = {
    fieldSelector: fieldSelector(
      uid === undefined ? terms : { ...terms, 'involvedObject.uid': uid },
    ),
  };
  const found = await list(connection, { path, query, itemsMax }, signal);
  return { events: found.items.map((item) => parsed(EventObject, item, 'Event')), cut: found.cut };
}

/** Joins terms of a field selector; commas, equal signs and backslashes in values are escaped. */
export function fieldSelector(terms: Readonly<Record<string, string>>): string {
  return Object.entries(terms)
    .map(([field, value]) => `${field}=${value.replace(/[\\,=]/g, '\\$&')}`)
    .join(',');
}

// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, EventId, Tenant, Time, text } from './ids.ts';

/** An event on the wire and in the ledger: at most this many bytes of canonical JSON. */
export const EVENT_BYTES_MAX = 48 * 1_024;

/**
 * CloudEvents 1.0, structured JSON. `subject` is the acquisition, `source` the service that says
 * it as /impound/<service>/<worker>; extensions: tenant, causationid (the event or order that
 * made it necessary) and traceparent (W3C Trace Context). Unknown attributes are ignored.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
export const Envelope = z.looseObject({
  specversion: z.literal('1.0'),
  id: EventId,
  source: z.string().regex(/^\/impound\/[a-z][a-z0-9-]{0,62}\/[A-Za-z0-9_-]{1,128}$/),
  type: z.string().regex(/^[a-z]+\.[a-z]+\.v[1-9][0-9]{0,2}$/),
  subject: AcquisitionId,
  time: Time,
  datacontenttype: z.literal('application/json'),
  tenant: Tenant,
  causationid: EventId.optional(),
  traceparent: text(256).optional(),
  data: z.record(z.string(), z.unknown()),
});
export type Envelope = z.output<typeof Envelope>;

/** The service named in an envelope's `source`. */
export function serviceOf(source: string): string {
  return source.split('/')[2] ?? '';
}

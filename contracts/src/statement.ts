// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { canonical } from './canonical.ts';
import { AcquisitionId, Epoch, EventId, Sha256, Signature, Tenant, text, WorkerId } from './ids.ts';

/** What the payload of a statement is: in-toto, as DSSE names it. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const PREDICATE_TYPE = 'https://impound.dev/said/v1';
/** The subject that is the event's own data; no object has a slash in its name. */
export const DATA_SUBJECT = 'event/data';

const PAYLOAD_CHARACTERS_MAX = 32_768;

/** What a service says, under a signature of its own: a DSSE envelope. */
export const Statement = z.object({
  payloadType: z.literal(PAYLOAD_TYPE),
  /** base64 of the text that statementText() gives. */
  payload: z.base64().max(PAYLOAD_CHARACTERS_MAX),
  signatures: z
    .array(
      z.object({
        /** SHA-256 of the 32 bytes of the key. */
        keyid: Sha256,
        sig: Signature,
      }),
    )
    .min(1)
    .max(4),
});
export type Statement = z.output<typeof Statement>;

const Subject = z.object({ name: text(512), digest: z.object({ sha256: Sha256 }) });

/** The payload: an in-toto Statement about an event, and about the objects that it names. */
export const Payload = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(Subject).min(1).max(128),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.object({
    event: z.object({ id: EventId, type: text(64), acquisitionId: AcquisitionId, tenant: Tenant }),
    epoch: Epoch.optional(),
    /** The entry because of which it is said, and its leaf hash: nobody knew it before that was on
     * record, and it names all that was recorded of the acquisition until then. */
    cause: z.object({ id: EventId, entryHash: Sha256 }),
    by: z.object({ service: text(64), worker: WorkerId, version: text(64) }),
  }),
});
export type Payload = z.output<typeof Payload>;
export type Predicate = Payload['predicate'];

/** An object by its name and its SHA-256. */
export interface Named {
  readonly name: string;
  readonly sha256: string;
}

/** The text of a statement: canonical JSON. */
export function statementText(subjects: readonly Named[], predicate: Predicate): string {
  const subject = subjects.map(({ name, sha256 }) => ({ digest: { sha256 }, name }));
  const payload: Payload = {
    _type: STATEMENT_TYPE,
    subject,
    predicateType: PREDICATE_TYPE,
    predicate,
  };
  return canonical(payload);
}

/** What is signed of a text: the pre-authentication encoding of DSSE. */
export function preAuthText(payload: string): string {
  const { length } = new TextEncoder().encode(payload);
  return `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${length} ${payload}`;
}

/** The data of an event as its statement digests it: all of it but the statement. */
export function statedText(data: Readonly<Record<string, unknown>>): string {
  const { statement: _statement, ...stated } = data;
  return canonical(stated);
}

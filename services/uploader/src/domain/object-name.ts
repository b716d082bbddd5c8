// SPDX-License-Identifier: Apache-2.0
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import type * as z from 'zod';

/** Where one object lives: four parts, none of which can hold a slash or begin with a dot. */
export const ObjectName = UploaderOpenV1.request.pick({
  tenant: true,
  acquisitionId: true,
  set: true,
  name: true,
});
export type ObjectName = z.output<typeof ObjectName>;

/** The upload of one object by one worker: two workers never share an upload. */
export const SessionName = UploaderOpenV1.request;
export type SessionName = z.output<typeof SessionName>;

/** The key of an object: tenant/acquisition/set/name. */
export function keyOf(object: ObjectName): string {
  return [object.tenant, object.acquisitionId, object.set, object.name].join('/');
}

/** The object of a key; undefined where the text is no key. */
export function readKey(key: string): ObjectName | undefined {
  const [tenant, acquisitionId, set, name, ...rest] = key.split('/');
  if (rest.length > 0) return undefined;
  return ObjectName.safeParse({ tenant, acquisitionId, set, name }).data;
}

/** The text that names an upload in its URL. */
export function formatSession(session: SessionName): string {
  return [keyOf(session), session.worker].join('/');
}

/** The upload that a text names; undefined where it names none. */
export function readSession(text: string): SessionName | undefined {
  const [tenant, acquisitionId, set, name, worker, ...rest] = text.split('/');
  if (rest.length > 0) return undefined;
  return SessionName.safeParse({ tenant, acquisitionId, set, name, worker }).data;
}

// SPDX-License-Identifier: Apache-2.0

import { canonical } from '@impound/contracts/canonical.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { KeyRegisteredV1 } from '@impound/contracts/key/registered.v1.ts';
import { LogBeganV1 } from '@impound/contracts/log/began.v1.ts';
import { LOG_KEY_ROLES, LOG_TENANT, type LogKeyRole } from '@impound/contracts/log-key.ts';
import { append, type Batch } from './batch.ts';
import { type ChainHead, firstHead } from './head.ts';
import { eventIn, type StoredEntry } from './telling.ts';

/** The public keys that sign for a log, in base64. */
export type KeysByRole = Readonly<Record<LogKeyRole, string>>;

/** What a log has recorded of itself. */
export interface OwnChain {
  readonly id: string;
  readonly origin: string;
  /** The keys that sign now. */
  readonly keys: KeysByRole;
  readonly head: ChainHead;
}

/** The fold of the log's own chain; undefined: it has none yet. Throws where it is none. */
export function ownChain(entries: readonly StoredEntry[]): OwnChain | undefined {
  const [first, ...others] = entries;
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const event = eventIn(first.text);
  if (event.type !== LogBeganV1.type) throw new Error('the first entry of the log is no beginning');
  const began = LogBeganV1.shape.parse(event.data);
  const keys = new Map(began.keys.map(({ role, publicKey }) => [role, publicKey]));
  for (const { text } of others) {
    const later = eventIn(text);
    if (later.type !== KeyRegisteredV1.type) continue;
    const { role, publicKey } = KeyRegisteredV1.shape.parse(later.data);
    keys.set(role, publicKey);
  }
  const head = { ...firstHead(event), version: entries.length, last: last.hash };
  return { id: event.subject, origin: began.origin, keys: byRole(keys), head };
}

function byRole(keys: ReadonlyMap<LogKeyRole, string>): KeysByRole {
  return Object.fromEntries(
    LOG_KEY_ROLES.map((role) => [role, keys.get(role) ?? '']),
  ) as KeysByRole;
}

/** A key that is to sign instead of another one from now on. */
export interface KeyChange {
  readonly role: LogKeyRole;
  readonly from: string;
  readonly to: string;
}

/** Where the keys at hand are other ones than those on record. */
export function keyChanges(chain: OwnChain, keys: KeysByRole): readonly KeyChange[] {
  return LOG_KEY_ROLES.flatMap((role) => {
    const [from, to] = [chain.keys[role], keys[role]];
    return from === to ? [] : [{ role, from, to }];
  });
}

/** Appends what the log says of itself to its own chain. */
export function appendOwn<C extends EventContract>(
  batch: Batch,
  contract: C,
  own: { readonly id: string; readonly head: ChainHead | undefined; readonly data: object },
): void {
  const { tools, recordedAt } = batch;
  const event = {
    specversion: '1.0',
    id: tools.childId(own.id, contract.type, tools.sha256(canonical(own.data))),
    source: tools.source,
    type: contract.type,
    subject: own.id,
    time: recordedAt,
    datacontenttype: 'application/json',
    tenant: LOG_TENANT,
    data: own.data,
  } as unknown as Envelope;
  append(batch, { event, text: canonical(event) }, batch.heads.get(own.id) ?? own.head);
}

// SPDX-License-Identifier: Apache-2.0

import { canonical } from '@impound/contracts/canonical.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { KeyRegisteredV1 } from '@impound/contracts/key/registered.v1.ts';
import { LogBeganV1 } from '@impound/contracts/log/began.v1.ts';
import { LOG_KEY_ROLES, LOG_TENANT, type LogKeyRole } from '@impound/contracts/log-key.ts';
import { SignerRegisteredV1 } from '@impound/contracts/signer/registered.v1.ts';
import { SignerRetiredV1 } from '@impound/contracts/signer/retired.v1.ts';
import { append, type Batch, type Tools } from './batch.ts';
import { type ChainHead, firstHead } from './head.ts';
import { eventIn, type StoredEntry } from './telling.ts';

/** The types whose entries decide what the log is to say of itself next. */
export const OWN_TYPES: readonly string[] = [
  LogBeganV1.type,
  KeyRegisteredV1.type,
  SignerRegisteredV1.type,
  SignerRetiredV1.type,
];

/** What is kept of the chain in which the log speaks of itself. */
export interface OwnKept {
  /** Its first entry, and those of OWN_TYPES after it. */
  readonly entries: readonly StoredEntry[];
  /** How long it is, and the leaf hash of its last entry. */
  readonly version: number;
  readonly last: string;
}

/** The public keys that sign for a log, in base64. */
export type KeysByRole = Readonly<Record<LogKeyRole, string>>;

/** What a log has recorded of itself. */
export interface OwnChain {
  readonly id: string;
  readonly origin: string;
  /** The keys that sign now. */
  readonly keys: KeysByRole;
  /** Every key that has signed checkpoints under the log's own name, in base64. */
  readonly signed: readonly string[];
  readonly head: ChainHead;
}

/** The fold of the log's own chain; undefined: it has none yet. Throws where it is none. */
export function ownChain({ entries, version, last }: OwnKept): OwnChain | undefined {
  const [first, ...others] = entries;
  if (first === undefined) return undefined;
  const event = eventIn(first.text);
  if (event.type !== LogBeganV1.type) throw new Error('the first entry of the log is no beginning');
  const began = LogBeganV1.shape.parse(event.data);
  const keys = new Map(began.keys.map(({ role, publicKey }) => [role, publicKey]));
  const signed = [keys.get('checkpoint') ?? ''];
  for (const { text } of others) {
    const later = eventIn(text);
    if (later.type !== KeyRegisteredV1.type) continue;
    const { role, publicKey } = KeyRegisteredV1.shape.parse(later.data);
    keys.set(role, publicKey);
    if (role === 'checkpoint') signed.push(publicKey);
  }
  const head = { ...firstHead(event), version, last };
  return { id: event.subject, origin: began.origin, keys: byRole(keys), signed, head };
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
  const said = ownEvent(own.id, { contract, data: own.data }, batch.tools);
  append(batch, said, batch.heads.get(own.id) ?? own.head);
}

/** What the log says of itself, as an event: the same data gives the same id. */
export function ownEvent(
  id: string,
  { contract, data }: { readonly contract: EventContract; readonly data: object },
  tools: Tools,
): { readonly event: Envelope; readonly text: string } {
  const event = {
    specversion: '1.0',
    id: tools.childId(id, contract.type, tools.sha256(canonical(data))),
    source: tools.source,
    type: contract.type,
    subject: id,
    time: tools.now(),
    datacontenttype: 'application/json',
    tenant: LOG_TENANT,
    data,
  } as unknown as Envelope;
  return { event, text: canonical(event) };
}

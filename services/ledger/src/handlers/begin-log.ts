// SPDX-License-Identifier: Apache-2.0
import { KeyRegisteredV1 } from '@impound/contracts/key/registered.v1.ts';
import { KeyRetiredV1 } from '@impound/contracts/key/retired.v1.ts';
import { LogBeganV1 } from '@impound/contracts/log/began.v1.ts';
import { LOG_KEY_ROLES, successionText } from '@impound/contracts/log-key.ts';
import { SignerRegisteredV1 } from '@impound/contracts/signer/registered.v1.ts';
import { SignerRetiredV1 } from '@impound/contracts/signer/retired.v1.ts';
import type { Signers } from '@impound/contracts/signer.ts';
import type { StatementTools } from '@impound/contracts/statement-check.ts';
import { Never } from '@impound/runtime/fault.ts';
import type { LogKeys } from '@impound/transparency/log-keys.ts';
import { type Batch, openBatch, type Tools } from '../domain/batch.ts';
import {
  appendOwn,
  type KeyChange,
  type KeysByRole,
  keyChanges,
  type OwnChain,
  type OwnKept,
  ownChain,
} from '../domain/own-chain.ts';
import {
  type SignerChanges,
  type SignerKeys,
  signerChanges,
  signerFault,
  signersOnRecord,
} from '../domain/signers.ts';
import type { Pen } from './ports.ts';

/** Who signs: for the log, and what services say. */
export interface Signing {
  readonly keys: LogKeys;
  readonly signers: Signers;
  readonly statements: StatementTools;
}

/** The log as it begins, or goes on. */
export interface Begun {
  /** The chain in which it speaks of itself. */
  readonly id: string;
  /** Who signs what they say. */
  readonly signers: SignerKeys;
}

/**
 * Sees to it that the log has on record who signs for it and in it, before anything else is added:
 * its first entry, and each change of a key. Throws Never where the keys are not this log's, or
 * those of services are not what they say to be.
 */
export async function beginLog(pen: Pen, signing: Signing, tools: Tools): Promise<Begun> {
  const { keys } = signing;
  const kept = await pen.own();
  const chain = ownChain(kept);
  const { size } = pen.standing();
  const known = { firsts: new Map(), heads: new Map() };
  const batch = openBatch(size, known, tools);
  const id = chain?.id ?? begin(batch, keys);
  if (chain !== undefined) await change(batch, chain, keys);
  const { registered, retired, keys: signers } = changedSigners(kept, signing);
  const own = { id, head: chain?.head };
  for (const data of registered) appendOwn(batch, SignerRegisteredV1, { ...own, data });
  for (const data of retired) appendOwn(batch, SignerRetiredV1, { ...own, data });
  if (batch.drafts.length > 0) await pen.draw({ drafts: batch.drafts, leaves: [] }).commit();
  return { id, signers };
}

function changedSigners(kept: OwnKept, { signers, statements }: Signing): SignerChanges {
  const onRecord = signersOnRecord(kept);
  const changes = signerChanges(onRecord, signers);
  const fault = signerFault(changes, onRecord, statements);
  if (fault !== undefined) throw new Never('signer-refused', fault);
  return changes;
}

function begin(batch: Batch, keys: LogKeys): string {
  if (batch.size > 0) throw new Never('log-damaged', 'the log does not begin with its own name');
  const { origin } = keys;
  const own = publicKeys(keys);
  const id = batch.tools.childId(origin, LogBeganV1.type, own.checkpoint);
  const succeeds = keys.succeeds === undefined ? {} : { succeeds: keys.succeeds };
  const names = LOG_KEY_ROLES.map((role) => ({ role, publicKey: own[role] }));
  const data = LogBeganV1.shape.parse({ origin, keys: names, ...succeeds });
  appendOwn(batch, LogBeganV1, { id, head: undefined, data });
  return id;
}

async function change(batch: Batch, chain: OwnChain, keys: LogKeys): Promise<void> {
  for (const { role, from, to } of changesOf(chain, keys)) {
    const message = Buffer.from(successionText(chain.origin, { role, publicKey: to }));
    const signature = (await before(keys, role, from)?.sign(message)) ?? message;
    const vouched = Buffer.from(signature).toString('base64');
    const own = { id: chain.id, head: chain.head };
    appendOwn(batch, KeyRegisteredV1, { ...own, data: { role, publicKey: to, vouched } });
    appendOwn(batch, KeyRetiredV1, { ...own, data: { role, publicKey: from } });
  }
}

/** Throws Never where the keys at hand cannot sign for the log that is on record, or in it. */
export function checkKeys(own: OwnKept, signing: Signing): void {
  const chain = ownChain(own);
  if (chain !== undefined) changesOf(chain, signing.keys);
  changedSigners(own, signing);
}

function changesOf(chain: OwnChain, keys: LogKeys): readonly KeyChange[] {
  if (chain.origin !== keys.origin) {
    const named = `LOG_KEYS are those of ${keys.origin}, the database holds ${chain.origin}`;
    throw new Never('log-other', `${named}: give the keys of that log, or its own database`);
  }
  const changes = keyChanges(chain, publicKeys(keys));
  for (const { role, from } of changes) {
    if (before(keys, role, from) !== undefined) continue;
    const what = `the ${role} key in LOG_KEYS is not the one on record (${from})`;
    throw new Never('key-unknown', `${what}, and that one does not vouch for it: put it back`);
  }
  return changes;
}

/** The key on record, where the secret still has it. */
function before({ previous }: LogKeys, role: KeyChange['role'], onRecord: string) {
  return previous[role]?.find(({ publicKey }) => publicKey.toString('base64') === onRecord);
}

function publicKeys(keys: LogKeys): KeysByRole {
  const of = (role: (typeof LOG_KEY_ROLES)[number]) => keys[role].publicKey.toString('base64');
  return { checkpoint: of('checkpoint'), sigsum: of('sigsum'), submitter: of('submitter') };
}

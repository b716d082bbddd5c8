// SPDX-License-Identifier: Apache-2.0

import { serviceOf } from '@impound/contracts/envelope.ts';
import { SignerRegisteredV1 } from '@impound/contracts/signer/registered.v1.ts';
import { SignerRetiredV1 } from '@impound/contracts/signer/retired.v1.ts';
import { type Signers, signerSuccessionText } from '@impound/contracts/signer.ts';
import {
  hasStatement,
  readStatement,
  type StatementTools,
  signedBy,
} from '@impound/contracts/statement-check.ts';
import type { OwnKept } from './own-chain.ts';
import type { Say, Unsayable } from './say.ts';
import { eventIn } from './telling.ts';

/** The keys that count, in base64, by the names of services that sign what they say. */
export type SignerKeys = ReadonlyMap<string, readonly string[]>;

/** What the log has on record of signers. */
export interface SignersOnRecord {
  readonly keys: SignerKeys;
  /** Those that signed once and do not any more. */
  readonly retired: ReadonlySet<string>;
}

/** The fold of what the log says of signers. */
export function signersOnRecord({ entries }: Pick<OwnKept, 'entries'>): SignersOnRecord {
  const keys = new Map<string, readonly string[]>();
  const retired = new Set<string>();
  for (const { text } of entries) {
    const { type, data } = eventIn(text);
    if (type === SignerRegisteredV1.type) {
      const { service, publicKey } = SignerRegisteredV1.shape.parse(data);
      keys.set(service, [...(keys.get(service) ?? []), publicKey]);
    } else if (type === SignerRetiredV1.type) {
      const { service, publicKey } = SignerRetiredV1.shape.parse(data);
      const others = (keys.get(service) ?? []).filter((one) => one !== publicKey);
      keys.set(service, others);
      retired.add(publicKey);
    }
  }
  return { keys, retired };
}

/** What is to be put on record, so that the keys at hand are those that count. */
export interface SignerChanges {
  readonly registered: readonly SignerRegisteredV1[];
  readonly retired: readonly SignerRetiredV1[];
  /** The keys that count from then on. */
  readonly keys: SignerKeys;
}

/** A service that is not named keeps what is on record: it has signed, and is to sign on. */
export function signerChanges({ keys }: SignersOnRecord, signers: Signers): SignerChanges {
  const named = Object.entries(signers).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const registered = named.flatMap(([service, wanted]) =>
    wanted
      .filter(({ publicKey }) => !keys.get(service)?.includes(publicKey))
      .map((key) => ({ service, ...key })),
  );
  const retired = named.flatMap(([service, wanted]) =>
    (keys.get(service) ?? [])
      .filter((one) => !wanted.some(({ publicKey }) => publicKey === one))
      .map((publicKey) => ({ service, publicKey })),
  );
  const wanted = named.map(
    ([service, those]) => [service, those.map(({ publicKey }) => publicKey)] as const,
  );
  return { registered, retired, keys: new Map([...keys, ...wanted]) };
}

/** Why these changes cannot be recorded; undefined: they can. */
export function signerFault(
  { registered }: SignerChanges,
  { retired }: SignersOnRecord,
  tools: Pick<StatementTools, 'isSigned'>,
): string | undefined {
  for (const { service, publicKey, vouched } of registered) {
    const which = `the key ${publicKey} of ${service} in SIGNERS`;
    if (retired.has(publicKey)) return `${which} was retired: make a new one`;
    if (vouched === undefined) continue;
    const text = signerSuccessionText(service, publicKey);
    if (!tools.isSigned(vouched.by, text, vouched.signature)) {
      return `${which} is not vouched for by ${vouched.by}, as it says`;
    }
  }
  return undefined;
}

/**
 * Why an event is not taken as the word of who says it; undefined: it is, or needs no signature.
 * Where signers are on record, all that is to be signed is: nobody gets around it under a name that
 * has no key.
 */
export function unsigned(
  { event, contract }: Say,
  signers: SignerKeys,
  tools: StatementTools,
): Unsayable | undefined {
  const service = serviceOf(event.source);
  if (contract.signs === undefined || signers.size === 0) return undefined;
  const forbidden = (because: string): Unsayable => ({ refusal: 'forbidden', because });
  if (!hasStatement(event)) return forbidden(`${service} has not signed it: give it STATEMENT_KEY`);
  const read = readStatement(event, contract, tools);
  if (typeof read === 'string') return forbidden(read);
  if (signedBy(read, signers.get(service) ?? [], tools) !== undefined) return undefined;
  return forbidden(`it is not signed by a key of ${service} that is on record`);
}

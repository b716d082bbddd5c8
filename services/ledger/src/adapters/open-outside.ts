// SPDX-License-Identifier: Apache-2.0
import { Never } from '@impound/runtime/fault.ts';
import { stamp } from '@impound/timestamp/authority.ts';
import { headSigners, type LogSigners } from '@impound/transparency/log-keys.ts';
import type { Policy, PolicyWitness } from '@impound/transparency/policy.ts';
import { sigsumWitnessVkey } from '@impound/transparency/sigsum.ts';
import { KEY_TYPES, type Vkey, vkey } from '@impound/transparency/vkey.ts';
import { type BothNotes, isWitnessed } from '@impound/transparency/witnessed.ts';
import type { Config } from '../config.ts';
import type { TimeAuthority } from '../handlers/anchoring.ts';
import type { Head } from '../handlers/checkpointing.ts';
import type { MirrorStore } from '../handlers/mirroring.ts';
import type { Memory } from '../handlers/outside.ts';
import type { Witness } from '../handlers/witnessing.ts';
import { httpWitness } from './http-witness.ts';
import { openMirror } from './open-mirror.ts';

/** Those outside of the database to whom the log is shown. */
export interface Outside {
  readonly witnesses: readonly (Witness & Memory)[];
  /** Whether cosignatures of these, by the names of their keys, are enough. */
  readonly isEnough: (witnesses: ReadonlySet<string>) => boolean;
  readonly mirror: MirrorStore | undefined;
  readonly authority: TimeAuthority | undefined;
}

/** Whether a checkpoint has as many cosignatures as the policy wants: without one it wants none. */
export function witnessedBy(policy: Policy | undefined): (notes: BothNotes) => boolean {
  return (notes) => policy === undefined || isWitnessed(policy, notes);
}

/** The keys of a log by the names under which it is signed, those that sign now first. */
export type OwnLogs = Readonly<Record<Head, readonly [Vkey, ...Vkey[]]>>;

/**
 * The keys that a log has, and those before them (base64) under its own name: what was signed by
 * one stays where others keep it. Another key of sigsum gives the log another name there.
 */
export function ownLogs(keys: LogSigners, signed: readonly string[]): OwnLogs {
  const { own, sigsum } = headSigners(keys);
  const before = signed.map((key) => vkey(keys.origin, KEY_TYPES.note, Buffer.from(key, 'base64')));
  const others = before.filter(({ key }) => !key.equals(own.vkey.key));
  return { own: [own.vkey, ...others], sigsum: [sigsum.vkey] };
}

/** Opens them as the configuration names them. Throws Never where that does not fit. */
export async function openOutside(
  { POLICY, MIRROR_URL, MIRROR_KEY, TSA_URL, TSA_CERTIFICATES }: Config,
  logs: OwnLogs,
  scope: AsyncDisposableStack,
): Promise<Outside> {
  const witnesses = POLICY?.witnesses.flatMap((one) => witnessOf(one, logs)) ?? [];
  const trusted = TSA_CERTIFICATES?.match(CERTIFICATE) ?? [];
  if (TSA_URL !== undefined && trusted.length === 0) {
    throw new Never('authority-untrusted', 'TSA_URL needs TSA_CERTIFICATES: its root, in PEM');
  }
  return {
    witnesses,
    isEnough: (names) => POLICY === undefined || isQuorum(POLICY, names),
    mirror: MIRROR_URL && (await openMirror(MIRROR_URL, MIRROR_KEY, scope)),
    authority: TSA_URL === undefined ? undefined : authorityOf(new URL(TSA_URL), trusted),
  };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Without an address a witness is somebody else's business: a policy may name those, too. */
function witnessOf(one: PolicyWitness, logs: OwnLogs) {
  const { url, vkey: named } = one;
  if (url === undefined) return [];
  if (named !== undefined) {
    return [httpWitness({ url, vkey: named, head: 'own', logs: logs.own })];
  }
  return [httpWitness({ url, vkey: keyNameOf(one), head: 'sigsum', logs: logs.sigsum })];
}

function isQuorum(policy: Policy, names: ReadonlySet<string>): boolean {
  const those = policy.witnesses.filter((one) => names.has(keyNameOf(one).name));
  return policy.isQuorum(new Set(those.map(({ name }) => name)));
}

/** In the form of sigsum a witness is named by its key, and looks at logs of sigsum only. */
function keyNameOf({ key, vkey: named }: PolicyWitness): Vkey {
  return named ?? sigsumWitnessVkey(key);
}

function authorityOf(url: URL, trusted: readonly string[]): TimeAuthority {
  return {
    name: url.host,
    stamp: async (data, signal) => (await stamp({ url, trusted }, data, signal)).token,
  };
}

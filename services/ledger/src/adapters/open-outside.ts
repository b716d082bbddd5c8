// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Never } from '@impound/runtime/fault.ts';
import { stamp } from '@impound/timestamp/authority.ts';
import { headSigners, type LogSigners } from '@impound/transparency/log-keys.ts';
import type { PolicyWitness } from '@impound/transparency/policy.ts';
import { KEY_TYPES, type Vkey, vkey } from '@impound/transparency/vkey.ts';
import type { Config } from '../config.ts';
import type { TimeAuthority } from '../handlers/anchoring.ts';
import type { Head } from '../handlers/checkpointing.ts';
import type { MirrorStore } from '../handlers/mirroring.ts';
import type { Memory } from '../handlers/outside.ts';
import type { Witness } from '../handlers/witnessing.ts';
import { fileMirror } from './file-mirror.ts';
import { httpWitness } from './http-witness.ts';

/** Those outside of the database to whom the log is shown. */
export interface Outside {
  readonly witnesses: readonly (Witness & Memory)[];
  readonly mirror: MirrorStore | undefined;
  readonly authority: TimeAuthority | undefined;
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
export function openOutside(
  { POLICY, MIRROR_URL, TSA_URL, TSA_CERTIFICATES }: Config,
  logs: OwnLogs,
): Outside {
  const witnesses = POLICY?.witnesses.flatMap((one) => witnessOf(one, logs)) ?? [];
  const trusted = TSA_CERTIFICATES?.match(CERTIFICATE) ?? [];
  if (TSA_URL !== undefined && trusted.length === 0) {
    throw new Never('authority-untrusted', 'TSA_URL needs TSA_CERTIFICATES: its root, in PEM');
  }
  return {
    witnesses,
    mirror: MIRROR_URL === undefined ? undefined : fileMirror(fileURLToPath(MIRROR_URL)),
    authority: TSA_URL === undefined ? undefined : authorityOf(new URL(TSA_URL), trusted),
  };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Without an address a witness is somebody else's business: a policy may name those, too. */
function witnessOf({ url, key, vkey: named }: PolicyWitness, logs: OwnLogs) {
  if (url === undefined) return [];
  if (named !== undefined) {
    return [httpWitness({ url, vkey: named, head: 'own', logs: logs.own })];
  }
  // In the form of sigsum a witness is named by its key, and looks at logs of sigsum only.
  const hash = createHash('sha256').update(key).digest('hex');
  const known = vkey(`sigsum.org/v1/witness/${hash}`, KEY_TYPES.cosignature, key);
  return [httpWitness({ url, vkey: known, head: 'sigsum', logs: logs.sigsum })];
}

function authorityOf(url: URL, trusted: readonly string[]): TimeAuthority {
  return {
    name: url.host,
    stamp: async (data, signal) => (await stamp({ url, trusted }, data, signal)).token,
  };
}

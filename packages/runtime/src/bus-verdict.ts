// SPDX-License-Identifier: Apache-2.0
import { SERVER_SUBJECT } from '@impound/contracts/bus-rights.ts';
import type { NatsConnection } from '@nats-io/transport-node';
import * as z from 'zod';
import { jsonOf } from './ask.ts';

/** What a nats-server is worth: what its acknowledgements mean, and what is known against it. */
export interface BusVerdict {
  readonly version: string;
  /**
   * Where an acknowledged message is: `disk`: it was synced; `memory`: a power cut may lose it;
   * `unknown`: the server tells nothing of it.
   */
  readonly acks: 'disk' | 'memory' | 'unknown';
  /** Weaknesses of this version that are public, with what they mean here. */
  readonly advisories: readonly Advisory[];
  /** Whether the header by which the server tells who asks (Nats-Request-Info) can be believed. */
  readonly stamps: boolean;
}

/** A public weakness: the first version of each line that is without it; later lines are, too. */
export interface Advisory {
  readonly id: string;
  readonly fixedIn: readonly string[];
  readonly here: string;
}

const STAMPS = ['2.11.15', '2.12.6'];

const ADVISORIES: readonly Advisory[] = [
  {
    id: 'nats-io/nats-server#3862',
    fixedIn: ['2.9.15'],
    here: 'any integration can end the server, by one message whose reply subject is a wildcard',
  },
  {
    id: 'CVE-2025-30215',
    fixedIn: ['2.10.27', '2.11.1'],
    here: 'needs rights on all of $JS.API, which nobody has by deploy/nats',
  },
  {
    id: 'CVE-2026-33223, CVE-2026-33246',
    fixedIn: STAMPS,
    here: 'who asks can forge Nats-Request-Info: integrations have to sign what they ask',
  },
  {
    id: 'GHSA-jx8g-9g95-6322',
    fixedIn: ['2.11.16', '2.12.7'],
    here: 'passes by denied subjects; deploy/nats denies nothing, it allows',
  },
  {
    id: 'GHSA-38x3-76xf-cq45',
    fixedIn: ['2.11.16', '2.12.7'],
    here: 'needs no_auth_user, which deploy/nats does not have',
  },
];

const Varz = z.object({
  data: z.object({
    version: z.string().max(64),
    jetstream: z
      .object({
        config: z.object({ sync_always: z.boolean().optional(), store_dir: z.string().optional() }),
      })
      .partial()
      .optional(),
  }),
});

const VARZ_MS_MAX = 3_000;

/**
 * Asks the bus what it is. A server that lets nobody ask, or is no impound installation's, is
 * judged by its version alone. Never rejects.
 */
export async function busVerdict(connection: NatsConnection): Promise<BusVerdict> {
  const answer = await connection
    .request(SERVER_SUBJECT, undefined, { timeout: VARZ_MS_MAX })
    .catch(() => undefined);
  const varz = Varz.safeParse(answer && jsonOf(answer.data)).data?.data;
  const version = varz?.version ?? connection.info?.version ?? 'unknown';
  const config = varz?.jetstream?.config;
  return judge(version, config && config.sync_always === true);
}

/** The verdict on a version; `synced` is undefined where nobody knows. */
export function judge(version: string, synced: boolean | undefined): BusVerdict {
  return {
    version,
    acks: synced === undefined ? 'unknown' : synced ? 'disk' : 'memory',
    advisories: ADVISORIES.filter(({ fixedIn }) => !isFixed(version, fixedIn)),
    stamps: isFixed(version, STAMPS),
  };
}

/** Fixed lines stay fixed, and so are all that begin after the last of them. */
function isFixed(version: string, fixedIn: readonly string[]): boolean {
  const [major, minor, patch] = numbers(version);
  if (Number.isNaN(major + minor + patch)) return false;
  const fixes = fixedIn.map(numbers);
  const same = fixes.find(([ofMajor, ofMinor]) => ofMajor === major && ofMinor === minor);
  if (same !== undefined) return patch >= same[2];
  return fixes.every(
    ([ofMajor, ofMinor]) => major > ofMajor || (major === ofMajor && minor > ofMinor),
  );
}

function numbers(version: string): readonly [number, number, number] {
  // A release candidate comes before what it will be: it counts as not yet fixed.
  if (version.includes('-')) return [Number.NaN, 0, 0];
  const [major, minor, patch] = version.replace(/^v/, '').split('.').map(Number);
  return [major ?? Number.NaN, minor ?? Number.NaN, patch ?? Number.NaN];
}

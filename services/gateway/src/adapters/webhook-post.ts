// SPDX-License-Identifier: Apache-2.0
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { ConfigFault } from '@impound/runtime/config.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import type { Posted, Posting } from '../domain/callback.ts';
import { type AddressGuard, guardOf } from './address-guard.ts';
import { signatureOf } from './webhook-signature.ts';

const POST_MS_MAX = 10_000;
const FORBIDDEN = 'its address is not one that may be called: grant it in CALLBACK_NETWORKS';

/** Sends a signed message, and tells what came of it; it never rejects. */
export type Post = (posting: Posting, signal: AbortSignal) => Promise<Posted>;

/**
 * Posts to public addresses, and to the networks that are granted; follows no redirect, and what a
 * name resolves to is checked and then connected to, in one step.
 */
export async function openPost(
  given: { readonly networks?: string | undefined; readonly caFile?: string | undefined },
  now: () => number,
): Promise<Post> {
  const networks = given.networks?.split(',').map((one) => one.trim()) ?? [];
  const guard = guarded(networks);
  const ca = given.caFile === undefined ? undefined : await readCa(given.caFile);
  return async (posting, signal) => {
    try {
      const status = await sent(posting, { guard, ca, now }, signal);
      if (status >= 200 && status < 300) return { ok: true, status };
      return { ok: false, because: `it answered ${status}`, gone: status === 410 };
    } catch (error) {
      const late = error instanceof Error && error.name === 'AbortError' && !signal.aborted;
      const because = late ? `it gave no answer within ${POST_MS_MAX} ms` : messageOf(error);
      return { ok: false, because, gone: false };
    }
  };
}

function guarded(networks: readonly string[]): AddressGuard {
  try {
    return guardOf(networks);
  } catch (error) {
    throw new ConfigFault(`CALLBACK_NETWORKS: ${messageOf(error)}`);
  }
}

async function readCa(file: string): Promise<Buffer> {
  return await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigFault(`CALLBACK_CA_FILE: ${file} cannot be read: ${error.code}`);
  });
}

interface Ways {
  readonly guard: AddressGuard;
  readonly ca: Buffer | undefined;
  readonly now: () => number;
}

async function sent({ url, id, secrets, body }: Posting, ways: Ways, signal: AbortSignal) {
  const to = new URL(url);
  const timestamp = String(Math.floor(ways.now() / 1_000));
  const signatures = secrets.map((secret) => signatureOf(secret, { id, timestamp }, body));
  const options = {
    method: 'POST',
    agent: false as const,
    lookup: lookupBy(ways.guard, to),
    signal: AbortSignal.any([signal, AbortSignal.timeout(POST_MS_MAX)]),
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'impound',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatures.join(' '),
    },
  };
  refuseLiteral(to, ways.guard);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const secure = ways.ca === undefined ? options : { ...options, ca: ways.ca };
  const asked =
    to.protocol === 'https:'
      ? requestHttps(to, secure, resolve)
      : requestHttp(to, options, resolve);
  // After a 101 that nobody asked for Node tells nothing but the end of it.
  asked.once('close', () => reject(new Error('it ended without an answer')));
  asked.once('error', reject).end(body);
  const answer = await promise;
  // Nothing of the answer is of interest: it could be endless.
  answer.destroy();
  return answer.statusCode ?? 0;
}

/** For an address in the URL nothing is looked up. */
function refuseLiteral(to: URL, guard: AddressGuard): void {
  const host = to.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) refuseAddress(host, to, guard);
}

function refuseAddress(address: string, { protocol }: URL, guard: AddressGuard): void {
  if (!guard.allows(address)) throw new Error(FORBIDDEN);
  if (protocol === 'https:' || guard.isOwn(address)) return;
  throw new Error('plain HTTP is for this very machine: take https');
}

function lookupBy(guard: AddressGuard, to: URL): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { all: true })
      .then((found) => {
        // One bad address among good ones is enough: whoever set it up means no good.
        for (const { address } of found) refuseAddress(address, to, guard);
        const [first] = found;
        if (options.all) callback(null, found);
        else callback(null, first?.address ?? '', first?.family ?? 4);
      })
      .catch((error: NodeJS.ErrnoException) => callback(error, '', 4));
  };
}

// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type Msg, type NatsConnection, nkeys } from '@nats-io/transport-node';
import * as z from 'zod';
import { jsonOf } from './ask.ts';
import { judge } from './bus-verdict.ts';

/**
 * Who asks from an account of its own. Tenant and integration are written into the subject by the
 * server; the public keys are there only as far as they are proven.
 */
export interface Outsider {
  readonly tenant: string;
  readonly integration: string;
  readonly account?: string | undefined;
  readonly user?: string | undefined;
}

/** What the server tells of who asks through an import that shares it. */
const STAMP = 'Nats-Request-Info';
const Stamp = z.object({ acc: z.string().max(256), user: z.string().max(256).optional() });

/** Headers of a signed request: the public key, when it was signed (RFC 3339), the signature. */
const KEY = 'Impound-Key';
const SIGNED_AT = 'Impound-Signed-At';
const SIGNATURE = 'Impound-Signature';
const SKEW_MS_MAX = 300_000;

/** Reads who asks. Believes the server's stamp only where nobody can forge it. */
export function outsiderOf(message: Msg, { info }: NatsConnection, nowMs: number): Outsider {
  const [tenant = '', integration = ''] = message.subject.split('.').slice(-2);
  const stamp = judge(info?.version ?? '', undefined).stamps ? stampOf(message) : undefined;
  const user = stamp?.user ?? signerOf(message, { tenant, integration }, nowMs);
  return { tenant, integration, account: stamp?.acc, user };
}

/** Another spelling of the header beside it would be a forgery, so one alone counts. */
function stampOf({ headers }: Msg): z.output<typeof Stamp> | undefined {
  const spelled = headers?.keys().filter((key) => key.toLowerCase() === STAMP.toLowerCase()) ?? [];
  const values = headers?.values(STAMP) ?? [];
  if (spelled.length !== 1 || values.length !== 1) return undefined;
  return Stamp.safeParse(jsonOf(Buffer.from(values[0] ?? '', 'utf8'))).data;
}

/** The key that has signed this very request not long ago; undefined where none has. */
function signerOf(
  message: Msg,
  to: { readonly tenant: string; readonly integration: string },
  nowMs: number,
): string | undefined {
  const [key, at, signature] = [KEY, SIGNED_AT, SIGNATURE].map((name) =>
    message.headers?.get(name),
  );
  if (!key || !at || !signature) return undefined;
  if (!(Math.abs(Date.parse(at) - nowMs) <= SKEW_MS_MAX)) return undefined;
  try {
    const text = signedText({ ...to, at, body: message.data });
    return nkeys.fromPublic(key).verify(text, Buffer.from(signature, 'base64url'))
      ? key
      : undefined;
  } catch {
    return undefined; // no key, or no signature
  }
}

function signedText(of: {
  readonly tenant: string;
  readonly integration: string;
  readonly at: string;
  readonly body: Uint8Array;
}): Uint8Array {
  const digest = createHash('sha256').update(of.body).digest('hex');
  return Buffer.from(['impound.v1.submit', of.tenant, of.integration, of.at, digest].join('\n'));
}

/** The headers that a program puts beside its request, signed by its seed (SU…). */
export function signRequest(
  seed: Uint8Array,
  to: { readonly tenant: string; readonly integration: string; readonly body: Uint8Array },
  nowMs: number,
): Readonly<Record<string, string>> {
  const pair = nkeys.fromSeed(seed);
  const at = new Date(nowMs).toISOString();
  const signature = Buffer.from(pair.sign(signedText({ ...to, at }))).toString('base64url');
  return { [KEY]: pair.getPublicKey(), [SIGNED_AT]: at, [SIGNATURE]: signature };
}

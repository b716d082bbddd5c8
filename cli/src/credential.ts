// SPDX-License-Identifier: Apache-2.0
import { randomBytes, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Credential } from '@impound/contracts/integration.ts';
import { newUserKey } from '@impound/runtime/bus-keys.ts';
import type { Arguments } from './arguments.ts';
import { EXIT, Exit } from './exit-code.ts';
import { tokenSha256 } from './integrations.ts';

/** A new credential, and what its holder must be told, which is kept nowhere else. */
export interface Made {
  readonly credential: Credential;
  readonly secret?: string;
}

/** The ways to authenticate, as the command line names them. */
export const AUTH = ['token', 'url-token', 'webhook', 'certificate', 'nats'] as const;
export type Auth = (typeof AUTH)[number];

const SECRET_BYTES = 32;

/** 256 bits of chance. */
function chance(encoding: 'base64' | 'base64url'): string {
  return randomBytes(SECRET_BYTES).toString(encoding);
}

/** A secret of Standard Webhooks. */
export function webhookSecret(): string {
  return `whsec_${chance('base64')}`;
}

/** Makes a credential of one kind, or takes it from what the command line names. Throws Exit. */
export async function makeCredential(auth: Auth, id: string, args: Arguments): Promise<Made> {
  if (auth === 'token' || auth === 'url-token') {
    const secret = `imp_${chance('base64url')}`;
    const inUrl = auth === 'url-token';
    return { credential: { kind: 'token', id, sha256: tokenSha256(secret), inUrl }, secret };
  }
  if (auth === 'webhook') {
    const secret = webhookSecret();
    return { credential: { kind: 'hmac', id, secret }, secret };
  }
  if (auth === 'certificate') return { credential: await certificateOf(id, args) };
  return natsOf(id, args);
}

async function certificateOf(id: string, args: Arguments): Promise<Credential> {
  const subject = args.text('subject');
  if (subject !== undefined) return checked({ kind: 'certificate', id, subject });
  const file = args.needed('certificate');
  const pem = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new Exit(EXIT.usage, `--certificate ${file} cannot be read: ${cause.code}`, { cause });
  });
  try {
    const print = new X509Certificate(pem).fingerprint256;
    return checked({ kind: 'certificate', id, sha256: print.replaceAll(':', '').toLowerCase() });
  } catch (cause) {
    if (cause instanceof Exit) throw cause;
    throw new Exit(EXIT.usage, `--certificate ${file} is no certificate in PEM`, { cause });
  }
}

/** Without a key of the sender's own it gets a new one: its seed is the secret. */
function natsOf(id: string, args: Arguments): Made {
  const keys = { account: args.text('nats-account'), user: args.text('nats-user') };
  const given = Object.entries(keys).filter(([, key]) => key !== undefined);
  if (given.length > 0) {
    return { credential: checked({ kind: 'nats', id, ...Object.fromEntries(given) }) };
  }
  const { publicKey: user, seed: secret } = newUserKey();
  return { credential: checked({ kind: 'nats', id, user }), secret };
}

function checked(value: object): Credential {
  const read = Credential.safeParse(value);
  if (read.success) return read.data;
  throw new Exit(EXIT.usage, `the credential: ${read.error.issues[0]?.message}`);
}

/** How a credential of this kind is asked for on the command line. */
export function authOf(credential: Credential): Auth {
  if (credential.kind === 'token') return credential.inUrl ? 'url-token' : 'token';
  return credential.kind === 'hmac' ? 'webhook' : credential.kind;
}

/** A name that none of these has: key-1, key-2, … */
export function freeName(taken: readonly Credential[]): string {
  for (let number = 1; ; number++) {
    const name = `key-${number}`;
    if (!taken.some(({ id }) => id === name)) return name;
  }
}

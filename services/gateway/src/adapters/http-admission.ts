// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Admitted } from '../domain/caller.ts';
import { Refusal } from '../domain/problem.ts';
import type { Certificate, Doorkeeper } from './doorkeeper.ts';
import { senderOf } from './http-address.ts';
import { bodyOf } from './http-body.ts';

/** Finds out who sends a request, by the one credential that it shows. Throws Refusal. */
export async function admit(incoming: IncomingMessage, door: Doorkeeper): Promise<Admitted> {
  for (const name of ONCE) only(incoming, name);
  const { token, integration } = senderOf(incoming);
  const authorization = only(incoming, 'authorization');
  const signature = only(incoming, 'webhook-signature');
  const certificate = certificateOf(incoming);
  const shown = [token, authorization, signature, certificate].filter((one) => one !== undefined);
  if (shown.length > 1) {
    throw new Refusal('token-refused', 'show one credential: two could be of two integrations');
  }
  if (certificate !== undefined) return await door.byCertificate(certificate);
  if (token !== undefined) return await door.byToken(token, 'url');
  if (signature === undefined) return await door.byToken(bearerOf(authorization), 'header');
  return await door.bySignature({
    integration: integration ?? only(incoming, 'impound-integration') ?? '',
    signed: {
      id: only(incoming, 'webhook-id') ?? '',
      timestamp: only(incoming, 'webhook-timestamp') ?? '',
      signature,
    },
    body: await bodyOf(incoming),
  });
}

/** Node takes the first of these, a proxy perhaps the last. */
const ONCE = ['host', 'content-type'];

/** A header that may stand once: of two the one reader takes the first, the other the last. */
function only(incoming: IncomingMessage, name: string): string | undefined {
  const [value, ...others] = incoming.headersDistinct[name] ?? [];
  if (others.length === 0) return value;
  throw new Refusal('request-refused', `send the header ${name} once`);
}

function bearerOf(authorization: string | undefined): string {
  const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1];
  if (token !== undefined) return token;
  throw new Refusal('token-refused', 'send Authorization: Bearer <token> with a known token');
}

/** The certificate that a connection was begun with; undefined where none was shown. */
export function certificateOf({ socket }: IncomingMessage): Certificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined) return undefined;
  return {
    authorized: socket.authorized,
    because: String(socket.authorizationError ?? ''),
    sha256: shown.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: shown.subject.replaceAll('\n', ','),
    validFromMs: shown.validFromDate.getTime(),
    validToMs: shown.validToDate.getTime(),
  };
}

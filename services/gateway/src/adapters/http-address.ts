// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';

/** What a path says of who sends, beside where it goes. */
export interface Sender {
  /** Of `/t/<token>/…`: for senders that can set a URL and nothing else. */
  readonly token?: string;
  /** Of `/i/<integration>/…`: whose secret has signed the body. */
  readonly integration?: string;
}

const SENDERS = new WeakMap<IncomingMessage, Sender>();
/** Also in the absolute form that clients send to a proxy (RFC 9112, 3.2.2). */
const PREFIX = /^(?:https?:\/\/[^/?#]*)?\/(t|i)\/([^/?#]+)(\/[^#]*)$/i;

/**
 * Takes the sender out of the path before anything else sees it: from then on the request has the
 * plain path, and a token in it can reach no log, no trace and no error.
 */
export function takeSender(incoming: IncomingMessage): void {
  const found = PREFIX.exec(incoming.url ?? '');
  if (found === null) return;
  const [, kind, name = '', path = '/'] = found;
  incoming.url = path;
  SENDERS.set(incoming, kind?.toLowerCase() === 't' ? { token: name } : { integration: name });
}

/** The sender that the path had named. */
export function senderOf(incoming: IncomingMessage): Sender {
  return SENDERS.get(incoming) ?? {};
}

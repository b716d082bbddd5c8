// SPDX-License-Identifier: Apache-2.0
import type { Msg } from '@nats-io/transport-node';

/** Inboxes, and where the server itself leads an answer across accounts. */
const INBOX = /^_(INBOX|R_)/;

/**
 * Whether its answer goes to an inbox. Who asks names the place of the answer: one that names
 * another would have it said or published there, with the rights of who answers.
 */
export function answersToInbox({ reply }: Pick<Msg, 'reply'>): boolean {
  return reply === undefined || reply === '' || INBOX.test(reply);
}

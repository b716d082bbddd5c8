// SPDX-License-Identifier: Apache-2.0
import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node';

/** One message as JetStream has handed it out, and what can be told JetStream about it. */
export interface Delivery {
  readonly data: Uint8Array;
  readonly headers: MsgHdrs | undefined;
  /** How often it was handed out, this time included. */
  readonly deliveryCount: number;
  /** The first of these settles it; what comes after that tells nobody anything. */
  ack(): void;
  term(): void;
  /** It comes again: at once, or after so many milliseconds. */
  nak(delayMs?: number): void;
  /** Acknowledges and waits until the server has taken it; rejects where it does not say so. */
  ackAck(): Promise<void>;
  /** It is worked on: the time after which it would be handed to somebody else begins anew. */
  working(): void;
}

const ACK_MS_MAX = 5_000;
const NANOSECONDS = 1_000_000;

/** Throws where the message was not handed out by a consumer. */
export function deliveryOf(message: Msg, connection: NatsConnection): Delivery {
  const { data, headers, reply = '' } = message;
  const deliveryCount = countIn(reply);
  let isSettled = false;
  const once = () => {
    const isFirst = !isSettled;
    isSettled = true;
    return isFirst;
  };
  const settle = (word: string) => void (once() && message.respond(word));
  return {
    ...{ data, headers, deliveryCount },
    ack: () => settle('+ACK'),
    term: () => settle('+TERM'),
    nak: (delayMs) => settle(delayMs ? nakText(delayMs) : '-NAK'),
    ackAck: async () => {
      if (once()) await connection.request(reply, '+ACK', { timeout: ACK_MS_MAX });
    },
    working: () => void (isSettled || message.respond('+WPI')),
  };
}

function nakText(delayMs: number): string {
  return `-NAK ${JSON.stringify({ delay: Math.round(delayMs * NANOSECONDS) })}`;
}

/**
 * An acknowledgement goes to $JS.ACK.STREAM.CONSUMER.COUNT and four tokens more; newer servers put
 * two tokens before STREAM and may put more at the end (ADR-15).
 */
function countIn(reply: string): number {
  const tokens = reply.split('.');
  const count = Number(tokens[tokens.length === OLD_TOKENS ? OLD_COUNT_AT : OLD_COUNT_AT + 2]);
  if (reply.startsWith('$JS.ACK.') && Number.isSafeInteger(count) && count > 0) return count;
  throw new Error('a message that no consumer has handed out');
}

const OLD_TOKENS = 9;
const OLD_COUNT_AT = 4;

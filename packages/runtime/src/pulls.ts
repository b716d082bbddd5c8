// SPDX-License-Identifier: Apache-2.0
import type { MsgHdrs } from '@nats-io/transport-node';

/** How long a pull waits for messages, and how often it is told meanwhile that it still does. */
const PULL_MS = 20_000;
export const HEARTBEAT_MS = 10_000;
const HEARTBEATS_MISSED_MAX = 2;
const NANOSECONDS = 1_000_000;

/** The pulls that wait at one inbox: how many messages the bus still owes it. */
export interface Pulls {
  /** Pulls for the slots that are free, unless enough is owed: one pull serves some messages. */
  more(): void;
  /** A message has come. */
  came(): void;
  /** The bus says how a pull stands. Throws where it has ended it before its time. */
  told(headers: MsgHdrs | undefined): void;
  /** Called every HEARTBEAT_MS: what nothing is heard of any more is lost. */
  listen(): void;
  end(): void;
}

export interface Puller {
  readonly slots: number;
  /** How many slots are at work. */
  readonly busy: () => number;
  /** Sends one pull, whose messages and status come to the inbox. */
  readonly send: (text: string) => void;
  /** Called where pulls will bring nothing more: they have to begin anew at another inbox. */
  readonly lost: (trouble: unknown) => void;
}

/** Source: https://github.com/nats-io/nats-architecture-and-design, ADR-13 and ADR-37. */
export function newPulls({ slots, busy, send, lost }: Puller): Pulls {
  const enough = Math.floor(slots / 2);
  let [owed, silent, isOver] = [0, 0, false];
  const more = (owedMax = enough) => {
    const batch = slots - busy() - owed;
    if (isOver || owed > owedMax || batch <= 0) return;
    try {
      send(pullText(batch));
      if (owed === 0) silent = 0;
      owed += batch;
    } catch (trouble) {
      lost(trouble);
    }
  };
  return {
    more,
    came: () => {
      [owed, silent] = [Math.max(owed - 1, 0), 0];
      // Where more wait than were pulled for, they are not to wait for who works.
      more(0);
    },
    told: (headers) => {
      silent = 0;
      const { code = 0, description = '' } = headers ?? {};
      if (code === HEARTBEAT) return;
      const left = Number(headers?.get(LEFT_OF_PULL));
      if (code !== TIME_IS_OVER || !(left > 0)) throw new Error(`no pull: ${code} ${description}`);
      owed = Math.max(owed - left, 0);
      // Others that were made at that time are over too, and one stands for all of them.
      queueMicrotask(more);
    },
    listen: () => {
      silent = owed > 0 ? silent + 1 : 0;
      if (silent > HEARTBEATS_MISSED_MAX) lost(new Error('the bus says nothing of its pulls'));
    },
    end: () => {
      isOver = true;
    },
  };
}

const HEARTBEAT = 100;
const TIME_IS_OVER = 408;
const LEFT_OF_PULL = 'Nats-Pending-Messages';

function pullText(batch: number): string {
  const [expires, idle_heartbeat] = [PULL_MS * NANOSECONDS, HEARTBEAT_MS * NANOSECONDS];
  return JSON.stringify({ batch, expires, idle_heartbeat });
}

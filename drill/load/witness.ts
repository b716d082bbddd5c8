// SPDX-License-Identifier: Apache-2.0
import type { Msg, NatsConnection } from '@nats-io/transport-node';

/** Hears everything that is told, and how late. */
export interface Witness {
  /** How long after its record each event was told first, in milliseconds; forgets them. */
  takeLags(): readonly number[];
  stop(): void;
}

const RECORDED_AT = '"recordedAt":"';
const TIME_CHARACTERS = 27;

/** Begins to hear. */
export function witness(connection: NatsConnection): Witness {
  const seen = new Set<string>();
  let lags: number[] = [];
  const subscription = connection.subscribe('impound.v1.event.>', {
    callback: (error, message) => {
      if (error === null && isFirst(seen, message))
        lags.push(Date.now() - recordedAt(message.data));
    },
  });
  return {
    takeLags: () => {
      const taken = lags;
      lags = [];
      return taken;
    },
    stop: () => subscription.unsubscribe(),
  };
}

function isFirst(seen: Set<string>, { headers }: Msg): boolean {
  // What is told again has the id of the event and a suffix.
  const [id = ''] = (headers?.get('Nats-Msg-Id') ?? '').split('.');
  if (seen.has(id)) return false;
  seen.add(id);
  return true;
}

function recordedAt(bytes: Uint8Array): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const at = text.lastIndexOf(RECORDED_AT) + RECORDED_AT.length;
  return Date.parse(text.slice(at, at + TIME_CHARACTERS));
}

/** The value below which such a share of all lies, e.g. 0.99; 0 of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

// SPDX-License-Identifier: Apache-2.0
import type { Msg, NatsConnection } from '@nats-io/transport-node';

/** Hears everything that is told, and counts. */
export interface Witness {
  /** How many events of a type were told for the first time since the beginning. */
  count(type: string): number;
  open(): number;
  /** How long after its record each event was told, in milliseconds; forgets them. */
  takeLags(): readonly number[];
  /** Resolves when it is so. */
  until(so: () => boolean, signal: AbortSignal): Promise<void>;
  stop(): void;
}

const ENDS = new Set(['sealed', 'failed', 'cancelled', 'expired', 'refused', 'joined']);
const RECORDED_AT = '"recordedAt":"';
const TIME_CHARACTERS = 27;

interface Heard {
  readonly counts: Map<string, number>;
  readonly seen: Set<string>;
  lags: number[];
  open: number;
  waiting: (() => void)[];
}

/** Begins to hear; what was told before is not counted. */
export function witness(connection: NatsConnection): Witness {
  const heard: Heard = { counts: new Map(), seen: new Set(), lags: [], open: 0, waiting: [] };
  const subscription = connection.subscribe('impound.v1.event.>', {
    callback: (error, message) => {
      if (error === null) hear(heard, message);
    },
  });
  return {
    count: (type) => heard.counts.get(type) ?? 0,
    open: () => heard.open,
    takeLags: () => heard.lags.splice(0),
    until: (so, signal) => until(heard, so, signal),
    stop: () => subscription.unsubscribe(),
  };
}

function hear(heard: Heard, message: Msg): void {
  // What is told again has the id of the event and a suffix.
  const [id = ''] = (message.headers?.get('Nats-Msg-Id') ?? '').split('.');
  if (heard.seen.has(id)) return;
  heard.seen.add(id);
  const [, , , noun = '', verb = ''] = message.subject.split('.');
  const type = `${noun}.${verb}`;
  heard.counts.set(type, (heard.counts.get(type) ?? 0) + 1);
  if (type === 'acquisition.requested') heard.open += 1;
  if (noun === 'acquisition' && ENDS.has(verb)) heard.open -= 1;
  heard.lags.push(Date.now() - recordedAt(message.data));
  for (const look of heard.waiting) look();
}

async function until(heard: Heard, so: () => boolean, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => void (so() && resolve());
  const abort = () => reject(signal.reason);
  heard.waiting.push(look);
  signal.addEventListener('abort', abort, { once: true });
  look();
  try {
    signal.throwIfAborted();
    await promise;
  } finally {
    heard.waiting = heard.waiting.filter((one) => one !== look);
    signal.removeEventListener('abort', abort);
  }
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

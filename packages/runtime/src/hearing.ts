// SPDX-License-Identifier: Apache-2.0
import { TOLD_AGAIN } from '@impound/contracts/say.ts';
import type { Delivery } from './delivery.ts';
import type { Message } from './message.ts';
import { measuresOf } from './metrics.ts';
import { LABEL, METRICS } from './semantics.ts';
import type { House } from './service.ts';
import { tracedHearing } from './trace.ts';

/** How the handling of a message ended. */
export type HearingOutcome = 'ok' | 'again' | 'given-up' | 'stopped';

/** True where somebody may have answered a message: the bus, or the ledger, tells it again. */
export function comesAgain(raw: Delivery): boolean {
  return raw.deliveryCount > 1 || isToldAgain(raw);
}

/** True where the ledger tells a message again, after a loss or a stall. */
function isToldAgain(raw: Delivery): boolean {
  return raw.headers?.has(TOLD_AGAIN) === true;
}

/** Handles one message in a span and in metrics: every heard message goes through here. */
export async function heard(
  { house, raw, message }: Heard,
  work: () => Promise<HearingOutcome>,
): Promise<void> {
  const measures = measuresOf(house.service);
  const startedAt = performance.now();
  const { type, id, acquisitionId } = message;
  const { deliveryCount: delivery } = raw;
  if (delivery > 1) measures.count(METRICS.redelivered, 1, { [LABEL.type]: type });
  const of = {
    service: house.service,
    ...{ type, id, acquisitionId, delivery },
    said: message.event.traceparent,
    told: raw.headers?.get('traceparent'),
    recordedAtMs: Date.parse(message.recordedAt),
    again: isToldAgain(raw),
  };
  let outcome: HearingOutcome | 'bug' = 'bug';
  try {
    outcome = await tracedHearing(of, work);
  } finally {
    const labels = { [LABEL.type]: type, [LABEL.outcome]: outcome };
    measures.timed(METRICS.message, startedAt, labels);
  }
}

interface Heard {
  readonly house: House;
  readonly raw: Delivery;
  readonly message: Message;
}

// SPDX-License-Identifier: Apache-2.0
import { PARTIES } from './parties.ts';

/**
 * The one stream: recorded events, published by the ledger only. Every field is understood by
 * nats-server 2.9.10 and newer. It may be lost at any time: the ledger tells its open chains again.
 */
export const STREAM = {
  name: 'IMPOUND',
  subjects: ['impound.v1.event.>'],
  retention: 'limits',
  storage: 'file',
  discard: 'old',
  maxAgeMs: 30 * 86_400_000,
  maxBytes: 1_073_741_824,
  maxMessageBytes: 262_144,
  duplicateWindowMs: 600_000,
  denyDelete: true,
  denyPurge: true,
} as const;

/** One durable pull consumer: one service hears one event, with one single-subject filter. */
export interface ConsumerPlan {
  readonly durable: string;
  readonly service: string;
  readonly type: string;
  readonly filter: string;
}

/** Who dies with a message keeps it from the others for so long; who works says so meanwhile. */
export const ACK_WAIT_MS = 5_000;
/** One that stands still has its connection for 15 s, and gets a share of these for nothing. */
export const DELIVERIES_MAX = 15;
export const ACKS_PENDING_MAX = 512;
/** Pulls that may wait on one consumer: at most one for each free slot of each process. */
export const PULLS_WAITING_MAX = 8_192;

/** The consumer by which a service hears an event; `route` limits it to what is for that route. */
export function consumerPlan(service: string, type: string, route: string): ConsumerPlan {
  const [noun, verb, version] = type.split('.');
  return {
    durable: [service, noun, verb, version].join('_'),
    service,
    type,
    filter: ['impound.v1.event', noun, verb, route, '>'].join('.'),
  };
}

/** The consumers of one service, as the table of parties tells. */
export function plansOf(service: string): readonly ConsumerPlan[] {
  const { hears = [], route } = PARTIES[service] ?? {};
  return hears.map((type) => {
    const routed = type === 'acquisition.assigned.v1' && route !== undefined;
    return consumerPlan(service, type, routed ? route : '*');
  });
}

/** The consumers of all services. */
export function consumerPlans(): readonly ConsumerPlan[] {
  return Object.keys(PARTIES).flatMap(plansOf);
}

// SPDX-License-Identifier: Apache-2.0
import { EVENTS } from './events.ts';
import { PARTIES } from './parties.ts';

const SIGNED = new Set(EVENTS.filter(({ signs }) => signs !== undefined).map(({ type }) => type));

/** The services that say what is to be signed: each has a key of its own. */
export const SIGNING_SERVICES: readonly string[] = Object.entries(PARTIES).flatMap(
  ([service, { says }]) => (says.some((type) => SIGNED.has(type)) ? [service] : []),
);

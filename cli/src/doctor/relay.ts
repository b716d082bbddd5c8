// SPDX-License-Identifier: Apache-2.0
import type { BusFacts } from '@impound/runtime/bus-look.ts';
import type { DatabaseFacts } from './database.ts';
import { checkOf, type Finding } from './finding.ts';

const LAG_MS_MAX = 10_000;

/**
 * What is recorded is told a moment later: how far the stream is behind the log. Only open chains
 * count, since a bus that was lost is told those alone.
 */
export function relayFinding(
  bus: BusFacts | undefined,
  database: DatabaseFacts | undefined,
): readonly Finding[] {
  if (bus === undefined || database === undefined || 'unseen' in bus.stream) return [];
  const check = checkOf('relay');
  const { movedAt } = database.chains;
  if (movedAt === undefined) return [check.ok('no acquisition is open, nothing is to be told')];
  const told = bus.stream.messages === 0 ? 0 : Date.parse(bus.stream.lastAt);
  const behindMs = Date.parse(movedAt) - told;
  if (behindMs <= LAG_MS_MAX) return [check.ok('what was recorded of open acquisitions was told')];
  const what = 'an entry of an open acquisition was recorded and not told to the services';
  return [check.sick(what, 'look at the log of the ledger: it tells, once it reaches the bus')];
}

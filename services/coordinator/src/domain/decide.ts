// SPDX-License-Identifier: Apache-2.0
import type { Acquisition } from '@impound/contracts/chain.ts';
import { assigning, awaiting } from './assigning.ts';
import type { Decision, Now, Rule } from './decision.ts';
import { cancelled, expired, missing, sealed } from './ending.ts';
import { executing } from './executing.ts';
import { joined } from './joining.ts';

/** A chain without a request, or with an end, needs nothing. */
function ended(state: Acquisition): Decision | undefined {
  return state.request === undefined || state.ended ? {} : undefined;
}

/**
 * The rules in their order of precedence. `sealed` comes before `cancelled` and `expired`: whole
 * evidence is never hidden. `cancelled` comes before `expired`: it is what somebody wanted.
 */
const RULES: readonly Rule[] = [
  ended,
  sealed,
  cancelled,
  missing,
  expired,
  joined,
  executing,
  awaiting,
  assigning,
];

/**
 * What follows from a chain at a moment. Pure: two coordinators that see the same chain at the same
 * moment decide the same; the chain's expected version settles every other case.
 */
export function decide(state: Acquisition, now: Now): Decision {
  for (const rule of RULES) {
    const decision = rule(state, now);
    if (decision !== undefined) return decision;
  }
  return {};
}

// SPDX-License-Identifier: Apache-2.0
import { AcquisitionApprovedV1 } from '@impound/contracts/acquisition/approved.v1.ts';
import { AcquisitionRefusedV1 } from '@impound/contracts/acquisition/refused.v1.ts';
import { CancellationRequestedV1 } from '@impound/contracts/cancellation/requested.v1.ts';
import type { Acquisition } from '@impound/contracts/chain.ts';
import type { PolicyDecision } from '@impound/contracts/policy.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { childId } from '@impound/runtime/ids.ts';
import { type Said, type SayNow, say } from '@impound/runtime/say.ts';
import type { Caller } from '../domain/caller.ts';
import { DECISIONS_MAX } from '../domain/limits.ts';
import { onRecord, type Policies } from '../domain/policy.ts';
import { Refusal } from '../domain/problem.ts';
import { acquisitionOf, type ChainOf, chainOf } from './chain-read.ts';
import type { Denials } from './denial.ts';
import { record } from './reach.ts';

/** What a person can decide about an acquisition. */
export type Verb = 'approve' | 'refuse' | 'cancel';

/** A decision, and who makes it. */
export interface Decision {
  readonly verb: Verb;
  readonly caller: Caller;
  readonly acquisitionId: string;
  readonly reason: string;
}

interface Deps {
  readonly ask: Ask;
  readonly say: SayNow;
  readonly policies: Policies;
  readonly denials: Denials;
}

/**
 * Records a decision on the chain as it was when it was made: where the chain moves meanwhile it is
 * looked at again. Throws Refusal.
 */
export async function decide(
  decision: Decision,
  deps: Deps,
  signal: AbortSignal,
): Promise<Decided> {
  const of = chainOf(decision.caller.tenant, decision.acquisitionId);
  const again = 'it may have been recorded: GET the acquisition tells';
  return await record((limit) => decided(decision, { ...deps, of }, limit), signal, again);
}

interface Decided {
  readonly acquisitionId: string;
  readonly version: number;
}

async function decided(
  decision: Decision,
  deps: Deps & { readonly of: ChainOf },
  signal: AbortSignal,
): Promise<Decided> {
  for (let attempt = 1; attempt <= DECISIONS_MAX; attempt++) {
    const state = await acquisitionOf(deps.of, deps.ask, signal);
    const policy = await allow({ state, decision, of: deps.of }, deps, signal);
    const done = await decideOn({ state, policy }, decision, deps, signal);
    if (done !== undefined) return done;
  }
  throw new Refusal('unavailable', 'the chain moves too fast: try again in a little while');
}

/** Undefined where the chain has moved meanwhile. */
async function decideOn(
  { state, policy }: { readonly state: Acquisition; readonly policy: PolicyDecision },
  decision: Decision,
  { say: sayNow, of }: Deps & { readonly of: ChainOf },
  signal: AbortSignal,
): Promise<Decided | undefined> {
  const { acquisitionId } = of;
  if (decision.verb === 'cancel' && state.cancellation && !state.ended) {
    return { acquisitionId, version: state.version };
  }
  const said = judged(decision, state, policy);
  const id = childId(acquisitionId, said.contract.type, decision.caller.actor.id);
  const reply = await sayNow({ ...said, id, ...of, expectedVersion: state.version }, signal);
  if (reply.ok) return { acquisitionId, version: reply.version };
  if (reply.refusal === 'conflict') return undefined;
  throw new Refusal('refused', `the ledger refused it: ${reply.because}`);
}

/** What the policies say to it; what they deny goes on record and ends here. */
async function allow(
  on: { readonly state: Acquisition; readonly decision: Decision; readonly of: ChainOf },
  { policies, denials }: Deps,
  signal: AbortSignal,
): Promise<PolicyDecision> {
  const { verb: action, caller, reason } = on.decision;
  const decided = policies.decide({ action, caller, reason, acquisition: on.state });
  if (decided.allowed) return onRecord(decided, 'allowed', caller);
  const policy = onRecord(decided, 'denied', caller);
  return await denials.ofDeed({ of: on.of, caller, action, reason, policy }, signal);
}

function judged(
  { verb, caller, reason }: Decision,
  state: Acquisition,
  policy: PolicyDecision,
): Said {
  if (state.ended !== undefined) {
    throw new Refusal('nothing-to-decide', `it has ended with ${state.ended.type}`);
  }
  const { actor } = caller;
  if (verb === 'cancel')
    return say(CancellationRequestedV1, { requestedBy: actor, reason, policy });
  if (state.approved) throw new Refusal('nothing-to-decide', 'it needs no approval, or has it');
  if (verb === 'approve') return say(AcquisitionApprovedV1, { approvedBy: actor, reason, policy });
  return say(AcquisitionRefusedV1, { refusedBy: actor, code: 'not-approved', reason, policy });
}

// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import type { Acquisition } from '@impound/contracts/chain.ts';
import type { PolicyDecision } from '@impound/contracts/policy.ts';
import type { Caller } from './caller.ts';

/** What policies decide about an acquisition that there is. */
export type Deed =
  | ('approve' | 'refuse' | 'cancel' | 'call-back')
  | ('read-evidence' | 'inspect-evidence');

/** What policies are asked, with all that they may look at. */
export type Asked =
  | {
      readonly action: 'acquire' | 'acquire-alone';
      readonly caller: Caller;
      readonly request: Wanted;
    }
  | {
      readonly action: Deed;
      readonly caller: Caller;
      readonly reason: string;
      readonly acquisition: Acquisition;
    }
  | { readonly action: 'audit'; readonly caller: Caller; readonly reason: string };

/** A request before anything is decided about it. */
export type Wanted = Omit<AcquisitionRequestedV1, 'policy'>;

/** Decides. Which library does it is nobody's business here. */
export interface Policies {
  decide(asked: Asked): Decided;
}

/** Yes or no, and why. */
export interface Decided {
  readonly allowed: boolean;
  readonly because: string;
  readonly policies: readonly string[];
  readonly policySet: string;
}

/** A decision as it goes on the chain. */
export function onRecord(
  decided: Decided,
  decision: PolicyDecision['decision'],
  { actor }: Caller,
): PolicyDecision {
  const { because, policies, policySet } = decided;
  const who = `${actor.kind} ${actor.id}`;
  const sentence = `${who}: ${because}`.slice(0, SENTENCE_CHARACTERS_MAX);
  return { decision, because: sentence, policies: policies.slice(0, POLICIES_MAX), policySet };
}

const SENTENCE_CHARACTERS_MAX = 512;
const POLICIES_MAX = 32;

/** Whether a request may be made, and whether it waits for a second person. */
export function judgeRequest(
  caller: Caller,
  request: Wanted,
  { decide }: Policies,
): PolicyDecision {
  const asking = decide({ action: 'acquire', caller, request });
  if (!asking.allowed) return onRecord(asking, 'denied', caller);
  const alone = decide({ action: 'acquire-alone', caller, request });
  return onRecord(alone, alone.allowed ? 'allowed' : 'approval-required', caller);
}

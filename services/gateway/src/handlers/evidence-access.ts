// SPDX-License-Identifier: Apache-2.0
import { UploaderReadV1 } from '@impound/contracts/ask/uploader.read.v1.ts';
import type { Acquisition } from '@impound/contracts/chain.ts';
import { EvidenceAccessedV1 } from '@impound/contracts/evidence/accessed.v1.ts';
import type { PolicyDecision } from '@impound/contracts/policy.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { newId } from '@impound/runtime/ids.ts';
import type { SayNow } from '@impound/runtime/say.ts';
import { objectsOf } from '../domain/acquisition-view.ts';
import type { Caller } from '../domain/caller.ts';
import { onRecord, type Policies } from '../domain/policy.ts';
import { Refusal } from '../domain/problem.ts';
import { acquisitionOf, type ChainOf, chainOf } from './chain-read.ts';
import type { Denials } from './denial.ts';
import { reach, record } from './reach.ts';

/** Who wants which object, and what for. */
export interface Access {
  readonly caller: Caller;
  readonly acquisitionId: string;
  readonly set: string;
  readonly name: string;
  readonly purpose: string;
}

/** Where the bytes are, and what they must be. */
export interface Opened {
  readonly url: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What is needed to hand out evidence, or to tell of it. */
export interface EvidenceDeps {
  readonly ask: Ask;
  readonly say: SayNow;
  readonly policies: Policies;
  readonly denials: Denials;
}

/** Records that somebody is given evidence, and only then asks for it. Throws Refusal. */
export async function accessEvidence(
  access: Access,
  deps: EvidenceDeps,
  signal: AbortSignal,
): Promise<Opened> {
  const { caller, purpose } = access;
  const of = chainOf(caller.tenant, access.acquisitionId);
  const state = await acquisitionOf(of, deps.ask, signal);
  const asked = { action: 'read-evidence', caller, purpose, of, acquisition: state } as const;
  const policy = await allowEvidence(asked, deps, signal);
  const key = [caller.tenant, of.acquisitionId, access.set, access.name].join('/');
  const object = objectsOf(state).get(key);
  if (object === undefined) {
    throw new Refusal(
      'not-found',
      'the chain names no such object: GET the acquisition lists them',
    );
  }
  const objects = [{ key, sha256: object.sha256 }];
  const data = { accessedBy: caller.actor, purpose, policy, objects };
  const reply = await record(
    (limit) => deps.say({ contract: EvidenceAccessedV1, data, id: newId(), ...of }, limit),
    signal,
    'the access may have been recorded, and nothing was handed out: ask again',
  );
  if (!reply.ok) throw new Refusal('refused', `the ledger refused it: ${reply.because}`);
  const found = await reach(deps.ask(UploaderReadV1, { ...of, key }, signal));
  if (found.sha256 !== object.sha256 || found.bytes !== object.bytes) {
    const detail = 'the store holds other bytes than the chain says: look at the evidence store';
    throw new Refusal('evidence-differs', detail);
  }
  return { url: found.url, name: object.name, bytes: found.bytes, sha256: found.sha256 };
}

/** Whether somebody may read evidence, or inspect it; who may not is on record. Throws Refusal. */
export async function allowEvidence(
  on: {
    readonly action: 'read-evidence' | 'inspect-evidence';
    readonly caller: Caller;
    readonly purpose: string;
    readonly of: ChainOf;
    readonly acquisition: Acquisition;
  },
  { policies, denials }: Pick<EvidenceDeps, 'policies' | 'denials'>,
  signal: AbortSignal,
): Promise<PolicyDecision> {
  const { action, caller, purpose: reason } = on;
  const decided = policies.decide({ action, caller, reason, acquisition: on.acquisition });
  if (decided.allowed) return onRecord(decided, 'allowed', caller);
  const policy = onRecord(decided, 'denied', caller);
  return await denials.ofDeed({ of: on.of, caller, action, reason, policy }, signal);
}

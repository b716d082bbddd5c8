// SPDX-License-Identifier: Apache-2.0
import { AcquisitionDeniedV1 } from '@impound/contracts/acquisition/denied.v1.ts';
import { AuditDeniedV1 } from '@impound/contracts/audit/denied.v1.ts';
import type { AuditFilter } from '@impound/contracts/audit.ts';
import { AcquisitionId } from '@impound/contracts/ids.ts';
import { PermissionDeniedV1 } from '@impound/contracts/permission/denied.v1.ts';
import type { PolicyDecision } from '@impound/contracts/policy.ts';
import { newId } from '@impound/runtime/ids.ts';
import type { Log } from '@impound/runtime/log.ts';
import type { Said, SayNow } from '@impound/runtime/say.ts';
import { say } from '@impound/runtime/say.ts';
import type { Caller } from '../domain/caller.ts';
import { DENIALS_BURST, DENIALS_PER_SECOND } from '../domain/limits.ts';
import type { Deed, Wanted } from '../domain/policy.ts';
import { Refusal } from '../domain/problem.ts';
import { rateOf } from '../domain/rate.ts';
import type { ChainOf } from './chain-read.ts';
import { record } from './reach.ts';

/** Puts on record what was denied. Always throws Refusal. */
export interface Denials {
  ofRequest(
    denied: { readonly caller: Caller; readonly request: Wanted; readonly policy: PolicyDecision },
    signal: AbortSignal,
  ): Promise<never>;
  ofDeed(
    denied: {
      readonly of: ChainOf;
      readonly caller: Caller;
      readonly action: Deed;
      readonly reason: string;
      readonly policy: PolicyDecision;
    },
    signal: AbortSignal,
  ): Promise<never>;
  ofAudit(
    denied: {
      readonly caller: Caller;
      readonly filter: AuditFilter;
      readonly reason: string;
      readonly policy: PolicyDecision;
    },
    signal: AbortSignal,
  ): Promise<never>;
}

interface Deps {
  readonly say: SayNow;
  readonly log: Pick<Log, 'warn'>;
  readonly now: () => number;
}

/**
 * Denials go on record a few at once and then at a slow pace for each integration, so that nobody
 * fills the ledger with them; those between are logged, and counted in the next that is recorded.
 */
export function openDenials({ say: sayNow, log, now }: Deps): Denials {
  const rate = rateOf();
  const limit = { burst: DENIALS_BURST, perSecond: DENIALS_PER_SECOND };
  const suppressed = new Map<string, number>();
  const put = async (
    { caller, policy, of }: { caller: Caller; policy: PolicyDecision; of: ChainOf },
    said: (suppressed: number) => Said,
    signal: AbortSignal,
  ): Promise<never> => {
    const { id } = caller.actor;
    const { because } = policy;
    log.warn('denied', { integration: id, because, acquisitionId: of.acquisitionId });
    const before = suppressed.get(id) ?? 0;
    if (!rate.take(id, limit, now())) {
      suppressed.set(id, before + 1);
      throw new Refusal('forbidden', because);
    }
    suppressed.set(id, 0);
    await record((until) => sayNow({ ...said(before), id: newId(), ...of }, until), signal);
    throw new Refusal('forbidden', `${because}; on record in ${of.acquisitionId}`);
  };
  return {
    ofRequest: async ({ caller, request, policy }, signal) => {
      const { caseId, target, profile, methods, reason } = request;
      const wanted = { caseId, target, profile, ...(methods === undefined ? {} : { methods }) };
      const about = { ...wanted, reason, deniedTo: caller.actor, policy };
      const of = newChain(caller);
      const said = (count: number) => say(AcquisitionDeniedV1, { ...about, suppressed: count });
      return await put({ caller, policy, of }, said, signal);
    },
    ofDeed: async ({ of, caller, action, reason, policy }, signal) => {
      const about = { action, reason, deniedTo: caller.actor, policy };
      const said = (count: number) => say(PermissionDeniedV1, { ...about, suppressed: count });
      return await put({ caller, policy, of }, said, signal);
    },
    ofAudit: async ({ caller, filter, reason, policy }, signal) => {
      const { caseId } = filter;
      const about = { ...(caseId && { caseId }), filter, reason, deniedTo: caller.actor, policy };
      const said = (count: number) => say(AuditDeniedV1, { ...about, suppressed: count });
      return await put({ caller, policy, of: newChain(caller) }, said, signal);
    },
  };
}

function newChain({ tenant }: Caller): ChainOf {
  return { tenant, acquisitionId: AcquisitionId.parse(newId()) };
}

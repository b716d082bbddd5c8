// SPDX-License-Identifier: Apache-2.0
import { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import { AuditReadV1 } from '@impound/contracts/audit/read.v1.ts';
import type { AuditFilter } from '@impound/contracts/audit.ts';
import { AcquisitionId } from '@impound/contracts/ids.ts';
import type { PolicyDecision } from '@impound/contracts/policy.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { newId } from '@impound/runtime/ids.ts';
import type { SayNow } from '@impound/runtime/say.ts';
import type { Caller } from '../domain/caller.ts';
import { onRecord, type Policies } from '../domain/policy.ts';
import { Refusal } from '../domain/problem.ts';
import type { Denials } from './denial.ts';
import { reach, record } from './reach.ts';

/** Who wants which page of the log, and what for. */
export interface Audit {
  readonly caller: Caller;
  readonly filter: AuditFilter;
  readonly after: number;
  readonly limit: number;
  readonly purpose: string;
}

/** What readings of the log need. */
export interface AuditDeps {
  readonly ask: Ask;
  readonly say: SayNow;
  readonly policies: Policies;
  readonly denials: Denials;
}

/** Reads a page of the log, records that it was read, and only then gives it. Throws Refusal. */
export async function readAudit(
  audit: Audit,
  deps: AuditDeps,
  signal: AbortSignal,
): Promise<object> {
  const policy = await permitted(audit, deps, signal);
  const { filter, after, limit } = audit;
  const { tenant } = audit.caller;
  const page = await reach(deps.ask(LedgerAuditV1, { tenant, filter, after, limit }, signal));
  const { size, checkpoint, next, entries } = page;
  await onChain({ ...audit, policy, size, entries: entries.length }, deps, signal);
  const given = entries.map(({ seq, hash, text }) => ({ index: seq, leaf: hash, entry: text }));
  return { size, checkpoint, next, entries: given };
}

/** Which policy allows it. What is denied goes on record, and throws Refusal. */
export async function permitted(
  { caller, filter, purpose: reason }: Omit<Audit, 'after' | 'limit'>,
  deps: AuditDeps,
  signal: AbortSignal,
): Promise<PolicyDecision> {
  const decided = deps.policies.decide({ action: 'audit', caller, reason });
  const policy = onRecord(decided, decided.allowed ? 'allowed' : 'denied', caller);
  if (decided.allowed) return policy;
  return await deps.denials.ofAudit({ caller, filter, reason, policy }, signal);
}

/** Puts on record who is given which entries. Throws Refusal where that is not certain. */
export async function onChain(
  read: Omit<Audit, 'limit'> & {
    readonly policy: PolicyDecision;
    readonly size: number;
    readonly entries: number;
    readonly allTenants?: boolean;
  },
  deps: Pick<AuditDeps, 'say'>,
  signal: AbortSignal,
): Promise<void> {
  const { caller, purpose, policy, filter, after, size, entries, allTenants } = read;
  const { caseId } = filter;
  const data = {
    ...(caseId === undefined ? {} : { caseId }),
    ...(allTenants === undefined ? {} : { allTenants }),
    ...{ readBy: caller.actor, purpose, policy, filter, after, size, entries },
  };
  const id = newId();
  const of = { tenant: caller.tenant, acquisitionId: AcquisitionId.parse(id) };
  const reply = await record(
    (until) => deps.say({ contract: AuditReadV1, data, id, ...of }, until),
    signal,
    'the reading may have been recorded, and nothing was handed out: ask again',
  );
  if (!reply.ok) throw new Refusal('refused', `the ledger refused it: ${reply.because}`);
}

// SPDX-License-Identifier: Apache-2.0
import { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import { AuditReadV1 } from '@impound/contracts/audit/read.v1.ts';
import type { AuditFilter } from '@impound/contracts/audit.ts';
import { AcquisitionId } from '@impound/contracts/ids.ts';
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

interface Deps {
  readonly ask: Ask;
  readonly say: SayNow;
  readonly policies: Policies;
  readonly denials: Denials;
}

/** Reads a page of the log, records that it was read, and only then gives it. Throws Refusal. */
export async function readAudit(audit: Audit, deps: Deps, signal: AbortSignal): Promise<object> {
  const { caller, filter, after, limit, purpose } = audit;
  const { tenant } = caller;
  const decided = deps.policies.decide({ action: 'audit', caller, reason: purpose });
  const policy = onRecord(decided, decided.allowed ? 'allowed' : 'denied', caller);
  if (!decided.allowed) {
    return await deps.denials.ofAudit({ caller, filter, reason: purpose, policy }, signal);
  }
  const page = await reach(deps.ask(LedgerAuditV1, { tenant, filter, after, limit }, signal));
  const { size, checkpoint, next, entries } = page;
  const data = {
    ...(filter.caseId === undefined ? {} : { caseId: filter.caseId }),
    ...{ readBy: caller.actor, purpose, policy, filter, after, size, entries: entries.length },
  };
  const id = newId();
  const of = { tenant, acquisitionId: AcquisitionId.parse(id) };
  const reply = await record(
    (until) => deps.say({ contract: AuditReadV1, data, id, ...of }, until),
    signal,
    'the reading may have been recorded, and nothing was handed out: ask again',
  );
  if (!reply.ok) throw new Refusal('refused', `the ledger refused it: ${reply.because}`);
  const given = entries.map(({ seq, hash, text }) => ({ index: seq, leaf: hash, entry: text }));
  return { size, checkpoint, next, entries: given };
}

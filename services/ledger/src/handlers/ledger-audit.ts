// SPDX-License-Identifier: Apache-2.0
import type { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { fitting } from './ledger-history.ts';

type Audit = typeof LedgerAuditV1;

/** The log as an auditor reads it. */
export interface AuditLog {
  /** A page; `next` is where the one after begins, absent at the end of the log. */
  audit(wanted: RequestOf<Audit>): Promise<ReplyOf<Audit>>;
}

/** Answers with as many entries as fit; who asks goes on at `next`. */
export async function ledgerAudit(
  request: RequestOf<Audit>,
  deps: { readonly audit: AuditLog },
): Promise<ReplyOf<Audit>> {
  const page = await deps.audit.audit(request);
  const entries = fitting(page.entries);
  const last = entries.at(-1);
  if (last === undefined || entries.length === page.entries.length) return page;
  return { ...page, entries, next: last.seq };
}

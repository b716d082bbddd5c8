// SPDX-License-Identifier: Apache-2.0

/** What one service may say, hears, asks and answers, by the names of the contracts. */
export interface Party {
  readonly says: readonly string[];
  readonly hears: readonly string[];
  readonly asks: readonly string[];
  readonly answers: readonly string[];
  /** The route it hears assignments on: an executor's own name. */
  readonly route?: string;
  /** Whether it says or watches progress (core NATS). */
  readonly progress?: 'says' | 'watches';
  /** Whether it sees events of all kinds as they are published: for people, never to act on. */
  readonly events?: 'watches';
}

/**
 * Who speaks to whom. Consumers, the ledger's door, the rights on the bus and docs/flow.md are made
 * from this table, and the house test holds every service.ts against it.
 */
export const PARTIES: Readonly<Record<string, Party>> = {
  gateway: {
    says: [
      'acquisition.requested.v1',
      'acquisition.approved.v1',
      'acquisition.refused.v1',
      'acquisition.denied.v1',
      'acquisition.triggered.v1',
      'cancellation.requested.v1',
      'evidence.accessed.v1',
      'evidence.inspected.v1',
      'permission.denied.v1',
      'audit.read.v1',
      'audit.denied.v1',
      'callback.delivered.v1',
      'callback.failed.v1',
      'callback.requested.v1',
    ],
    hears: [
      'acquisition.requested.v1',
      'acquisition.sealed.v1',
      'acquisition.failed.v1',
      'acquisition.cancelled.v1',
      'acquisition.expired.v1',
      'acquisition.refused.v1',
      'acquisition.joined.v1',
      'callback.failed.v1',
      'callback.requested.v1',
    ],
    asks: [
      'ledger.history.v1',
      'ledger.list.v1',
      'ledger.entry.v1',
      'ledger.head.v1',
      'ledger.open.v1',
      'ledger.audit.v1',
      'ledger.checkpoint.v1',
      'ledger.tile.v1',
      'ledger.proof.v1',
      'ledger.consistency.v1',
      'ledger.stamps.v1',
      'ledger.signers.v1',
      'ledger.heads.v1',
      'discovery.list.v1',
      'uploader.read.v1',
      'uploader.inspect.v1',
    ],
    answers: ['gateway.submit.v1'],
    progress: 'watches',
    events: 'watches',
  },
  ledger: {
    says: [
      'conflict.noticed.v1',
      'execution.fenced.v1',
      'log.began.v1',
      'key.registered.v1',
      'key.retired.v1',
      'checkpoint.stamped.v1',
      'guards.broken.v1',
      'signer.registered.v1',
      'signer.retired.v1',
      'heads.rooted.v1',
    ],
    hears: [],
    asks: [],
    answers: [
      'ledger.history.v1',
      'ledger.head.v1',
      'ledger.open.v1',
      'ledger.list.v1',
      'ledger.entry.v1',
      'ledger.audit.v1',
      'ledger.checkpoint.v1',
      'ledger.tile.v1',
      'ledger.proof.v1',
      'ledger.consistency.v1',
      'ledger.stamps.v1',
      'ledger.signers.v1',
      'ledger.heads.v1',
    ],
  },
  discovery: {
    says: ['target.resolved.v1', 'target.missing.v1', 'context.captured.v1'],
    hears: ['acquisition.requested.v1', 'target.resolved.v1'],
    asks: ['ledger.head.v1', 'uploader.open.v1'],
    answers: ['discovery.list.v1'],
  },
  'rbac-checker': {
    says: ['access.checked.v1'],
    hears: ['acquisition.requested.v1', 'target.resolved.v1', 'target.missing.v1'],
    asks: ['ledger.head.v1'],
    answers: [],
  },
  coordinator: {
    says: [
      'acquisition.assigned.v1',
      'acquisition.joined.v1',
      'acquisition.sealed.v1',
      'acquisition.failed.v1',
      'acquisition.cancelled.v1',
      'acquisition.expired.v1',
      'execution.lapsed.v1',
    ],
    hears: [
      'acquisition.requested.v1',
      'acquisition.approved.v1',
      'cancellation.requested.v1',
      'target.resolved.v1',
      'target.missing.v1',
      'context.stored.v1',
      'access.checked.v1',
      'execution.started.v1',
      'execution.failed.v1',
      'execution.lapsed.v1',
      'evidence.captured.v1',
      'evidence.stored.v1',
      'evidence.rejected.v1',
    ],
    asks: ['ledger.history.v1', 'ledger.open.v1'],
    answers: [],
    progress: 'watches',
  },
  'executor-kubernetes': {
    says: ['execution.started.v1', 'execution.failed.v1', 'evidence.captured.v1'],
    hears: ['acquisition.assigned.v1'],
    asks: ['ledger.head.v1', 'uploader.open.v1'],
    answers: [],
    route: 'kubernetes',
    progress: 'says',
  },
  uploader: {
    says: ['evidence.stored.v1', 'evidence.rejected.v1', 'context.stored.v1'],
    hears: ['evidence.captured.v1', 'context.captured.v1'],
    asks: ['ledger.head.v1'],
    answers: ['uploader.open.v1', 'uploader.read.v1', 'uploader.inspect.v1'],
  },
};

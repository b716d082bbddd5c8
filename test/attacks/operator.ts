// SPDX-License-Identifier: Apache-2.0
// Who runs the ledger holds pen, keys and clock, and commits what nobody has said.
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { nodeTools } from '@impound/ledger/adapters/node-tools.ts';
import { postgresPen } from '@impound/ledger/adapters/postgres-pen.ts';
import { append, openBatch } from '@impound/ledger/domain/batch.ts';
import { sealLeaf } from '@impound/ledger/handlers/seal-leaf.ts';
import { newId } from '@impound/runtime/ids.ts';
import { Secret } from '@impound/runtime/secret.ts';
import type { TestDatabase } from '@impound/runtime/testing/database.ts';
import { readLogKeys } from '@impound/transparency/log-keys.ts';
import { namesOf, someEvidence, type Told } from './story.ts';

/** One event as it is made up. */
export interface MadeUp {
  readonly contract: EventContract;
  readonly change?: object;
  readonly id?: string;
  readonly causeId?: string;
  /** Milliseconds since 1970 at which it says to have happened, and to have been recorded. */
  readonly happenedMs?: number;
  readonly recordedMs?: number;
}

/** A whole acquisition that never was, and what comes behind its seal. */
export async function storyOf(
  acquisitionId: string,
  clockMs: number,
): Promise<{ readonly told: Told; readonly events: readonly MadeUp[] }> {
  const evidence = await someEvidence(acquisitionId, 'made up\n');
  const objects = namesOf(evidence);
  const changes = new Map<EventContract, object>([
    [EvidenceCapturedV1, { objects }],
    [AcquisitionSealedV1, { objects }],
  ]);
  const contracts = [
    ...[AcquisitionRequestedV1, AcquisitionAssignedV1, ExecutionStartedV1],
    ...[EvidenceCapturedV1, AcquisitionSealedV1],
  ];
  const events = contracts.map((contract: EventContract, at) => ({
    contract,
    change: changes.get(contract) ?? {},
    happenedMs: clockMs + at,
    recordedMs: clockMs + at,
  }));
  return { told: { acquisitionId, evidence }, events };
}

/** Commits a chain as the ledger would, entry by entry, by whatever clock. */
export async function commitMadeUp(
  { server, name }: TestDatabase,
  secret: string,
  { told, events }: { readonly told: Told; readonly events: readonly MadeUp[] },
): Promise<void> {
  const acq = told.acquisitionId;
  const url = new Secret(server.url(name, 'ledger_writer'));
  await using pen = await postgresPen(url, 'operator').take(
    () => undefined,
    AbortSignal.timeout(60_000),
  );
  const { size } = pen.standing();
  const known = { firsts: new Map(), heads: new Map() };
  const batch = openBatch(size, known, nodeTools('ledger-1'));
  for (const one of events) {
    const head = batch.heads.get(acq);
    const recordedAt = timeOf(one.recordedMs ?? Date.now());
    const event = eventOf(acq, one, { entries: head?.version ?? 0, lastEntry: head?.last ?? '' });
    append({ ...batch, recordedAt }, { event, text: canonical(event) }, head);
  }
  const { submitter } = readLogKeys(secret);
  const sealed = batch.leaves.map(async ({ seq, seal }) => {
    return { seq, bytes: await sealLeaf(submitter, seal) };
  });
  await pen.draw({ drafts: batch.drafts, leaves: await Promise.all(sealed) }).commit();
}

function eventOf(acq: string, one: MadeUp, whole: object): Envelope {
  const { contract, change = {}, id = newId(), causeId } = one;
  const isSeal = contract.type === AcquisitionSealedV1.type;
  const data = contract.shape.parse({
    ...(contract.example as object),
    ...change,
    ...(isSeal ? whole : {}),
  });
  return {
    ...{ specversion: '1.0', id, source: '/impound/gateway/gateway-1', type: contract.type },
    ...{ subject: acq, time: timeOf(one.happenedMs ?? Date.now()), tenant: 'default', data },
    ...(causeId === undefined ? {} : { causationid: causeId }),
    datacontenttype: 'application/json',
  } as unknown as Envelope;
}

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import type { DataOf, EventContract } from '@impound/contracts/event.ts';
import { EvidenceAccessedV1 } from '@impound/contracts/evidence/accessed.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { HEADER, written } from '@impound/evidence/testing/specimen.ts';
import { newId } from '@impound/runtime/ids.ts';
import type { Saying } from '@impound/runtime/say.ts';
import type { World } from '../../services/ledger/test/world.ts';

/** One object of evidence: what the chain says of it, and its bytes. */
export interface Evidence {
  readonly name: string;
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly content: Buffer;
}

/** An acquisition that was told to a ledger, with the evidence that its chain names. */
export interface Told {
  readonly acquisitionId: string;
  readonly evidence: readonly Evidence[];
}

/** Says an event under its contract's example, with what is to be another. */
export type Telling = <C extends EventContract>(
  contract: C,
  change?: Partial<DataOf<C>>,
) => Promise<{ readonly entryHash: string; readonly version: number }>;

/** Evidence that was collected for an acquisition: a capture like any other. */
export async function someEvidence(acquisitionId: string, says: string): Promise<Evidence[]> {
  const { archive, manifest } = await written(async (writer) => {
    await writer.file({ area: 'volatile', path: 'ps.txt' }, Buffer.from(says));
  });
  assert.equal(HEADER.source, 'container');
  const named = { 'manifest.jsonl': manifest, 'evidence.tar.zst': archive };
  return Object.entries(named).map(([name, content]) => ({
    ...{ name, content, bytes: content.length, key: `default/${acquisitionId}/e1/${name}` },
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
}

/** What a chain says of objects. */
export function namesOf(evidence: readonly Evidence[]) {
  return evidence.map(({ content: _, ...object }) => object);
}

/** Signs what somebody says because of an entry; what needs no signature stays as it is. */
export type Sign = (
  saying: Saying,
  cause: { readonly id: string; readonly entryHash: string },
) => Promise<Saying>;

/** Speaks about one acquisition, each event caused by the one before it. */
export function telling(it: World, acquisitionId: string, sign?: Sign): Telling {
  let cause: { readonly id: string; readonly entryHash: string } | undefined;
  return async (contract, change = {}) => {
    const id = newId();
    const bare = contract.shape.parse({ ...(contract.example as object), ...change });
    const saying = { contract, data: bare, id, acquisitionId, tenant: 'default' };
    const causedBy = cause === undefined ? {} : { causeId: cause.id };
    const signed = cause && (await sign?.({ ...saying, ...causedBy }, cause));
    const data = (signed?.data ?? bare) as DataOf<typeof contract>;
    const reply = await it.say(contract, acquisitionId, data, { id, ...causedBy });
    assert.ok(reply.ok, JSON.stringify(reply));
    cause = { id, entryHash: reply.entryHash };
    return reply;
  };
}

/** Tells a whole acquisition: requested to sealed, and handed out once. */
export async function tellStory(
  it: World,
  acquisitionId: string,
  reason = 'a shell in a web server',
  sign?: Sign,
): Promise<Told> {
  const tell = telling(it, acquisitionId, sign);
  const evidence = await someEvidence(acquisitionId, 'a shell\n');
  const objects = namesOf(evidence);
  await tell(AcquisitionRequestedV1, { reason });
  for (const one of [TargetResolvedV1, AccessCheckedV1, AcquisitionAssignedV1]) await tell(one);
  await tell(ExecutionStartedV1);
  await tell(EvidenceCapturedV1, { objects });
  const [specimen] = EvidenceStoredV1.example.objects;
  const stored = objects.map((object) => ({ ...specimen, ...object }));
  const last = await tell(EvidenceStoredV1, { objects: stored as never });
  const manifest = objects.find(({ name }) => name === 'manifest.jsonl')?.sha256 as never;
  const whole = { entries: last.version, lastEntry: last.entryHash as never };
  await tell(AcquisitionSealedV1, { objects, manifest, ...whole });
  await tell(EvidenceAccessedV1);
  return { acquisitionId, evidence };
}

// SPDX-License-Identifier: Apache-2.0
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { entryText, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { EvidenceAccessedV1 } from '@impound/contracts/evidence/accessed.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { leafHash } from '../verify-chain.ts';

/** The acquisition of these chains. */
export const ACQUISITION = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';

const NOW = '2026-11-23T09:15:00.000000Z';

interface Change {
  readonly acq?: string;
  readonly data?: object;
  readonly type?: string;
  readonly time?: string;
  readonly recordedAt?: string;
  readonly causationid?: string;
  readonly tenant?: string;
  readonly source?: string;
}

/** The id of the event at a place of such a chain, counted from 0. */
export function eventIdAt(place: number): string {
  return `0199f5a2-7c3e-7a10-8f52-${String(place).padStart(12, '0')}`;
}

/** A chain that grows as the ledger grows it. */
export function growingChain(now = NOW) {
  const lines: string[] = [];
  const head = () => {
    const last = lines.at(-1);
    return last === undefined ? NO_PREVIOUS : leafHash(Buffer.from(last));
  };
  const add = (contract: EventContract, change: Change = {}) => {
    const { acq = ACQUISITION, data = contract.example as object, type = contract.type } = change;
    const { time = NOW, recordedAt = now, causationid, tenant = 'default' } = change;
    const event = canonical({
      specversion: '1.0',
      id: eventIdAt(lines.length),
      source: change.source ?? '/impound/ledger/ledger-1',
      type,
      subject: acq,
      time,
      ...(causationid === undefined ? {} : { causationid }),
      datacontenttype: 'application/json',
      tenant,
      data,
    });
    const salt = 'AAAAAAAAAAAAAAAAAAAAAA==';
    const place = { acq, acqSeq: lines.length + 1, acqPrev: head(), recordedAt, salt };
    lines.push(entryText(place, event));
  };
  return { lines, head, add };
}

/** From the request to the evidence in the store. */
export const STORY: readonly EventContract[] = [
  AcquisitionRequestedV1,
  TargetResolvedV1,
  AccessCheckedV1,
  AcquisitionAssignedV1,
  ExecutionStartedV1,
  ContextCapturedV1,
  EvidenceCapturedV1,
  EvidenceStoredV1,
];

/** A whole story: requested to sealed, and handed out once; `seal` is where its seal stands. */
export function sealedChain(
  objects: readonly EvidenceObject[] = AcquisitionSealedV1.example.objects,
  recordedAt?: string,
) {
  const it = growingChain(recordedAt);
  for (const contract of STORY) it.add(contract);
  const seal = it.lines.length;
  const data = { ...AcquisitionSealedV1.example, objects, entries: seal, lastEntry: it.head() };
  it.add(AcquisitionSealedV1, { data });
  it.add(EvidenceAccessedV1);
  return { ...it, seal };
}

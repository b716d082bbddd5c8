// SPDX-License-Identifier: Apache-2.0
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { CallbackDeliveredV1 } from '@impound/contracts/callback/delivered.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import { type EventContract, nounVerb } from '@impound/contracts/event.ts';
import { EvidenceAccessedV1 } from '@impound/contracts/evidence/accessed.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { isSay, readSay, type Said, type Say } from '@impound/ledger/domain/say.ts';
import { childId, newId } from '@impound/runtime/ids.ts';

/** What an acquisition says in this benchmark: an event of each usual length, in a usual order. */
const CHAIN: readonly (readonly [string, EventContract])[] = [
  ['gateway', AcquisitionRequestedV1],
  ['discovery', TargetResolvedV1],
  ['coordinator', AcquisitionFailedV1],
  ['gateway', CallbackDeliveredV1],
  ['gateway', EvidenceAccessedV1],
];
const LATER = ['gateway', EvidenceAccessedV1] as const;

/**
 * Events of whole chains as they come through the door, one chain after the other. Longer chains
 * than usual are those of which somebody has evidence handed out again and again.
 */
export function saids(count: number, length = CHAIN.length): Said[] {
  const made: Said[] = [];
  while (made.length < count) {
    const acquisition = newId();
    let id = newId();
    for (let at = 0; at < length; at++) {
      const [service, contract] = CHAIN[at] ?? LATER;
      made.push(said(service, contract, { acquisition, id }));
      // What follows has an id that is made from its cause's, as the services make it.
      id = childId(id, contract.type);
    }
  }
  return made.slice(0, count);
}

/** One more event in each of these chains, long after their end. */
export function laterSaids(acquisitions: readonly string[]): Said[] {
  const [service, contract] = LATER;
  return acquisitions.map((acquisition) => said(service, contract, { acquisition, id: newId() }));
}

function said(
  service: string,
  contract: EventContract,
  { acquisition, id }: { readonly acquisition: string; readonly id: string },
): Said {
  const [noun, verb] = nounVerb(contract.type);
  const event = {
    specversion: '1.0',
    id,
    source: `/impound/${service}/${service}-1`,
    type: contract.type,
    subject: acquisition,
    time: timeOf(Date.now()),
    datacontenttype: 'application/json',
    tenant: 'default',
    data: contract.shape.parse(contract.example),
  };
  const bytes = Buffer.from(canonical(event));
  return { service, tenant: 'default', noun, verb, bytes, expectedVersion: undefined };
}

/** The same, read as the door reads them. Throws where one is none. */
export function readAll(from: readonly Said[]): Say[] {
  return from.map((one) => {
    const read = readSay(one);
    if (isSay(read)) return read;
    throw new Error(read.because);
  });
}

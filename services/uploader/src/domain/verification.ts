// SPDX-License-Identifier: Apache-2.0
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import type { Found } from './evidence-store.ts';
import { type ObjectName, readKey } from './object-name.ts';

/** Where the objects of one capture may lie. */
export interface Scope {
  readonly tenant: string;
  readonly acquisitionId: string;
  readonly sets: readonly string[];
}

/** Why a capture is not what the store holds. */
export interface Rejection {
  readonly code: 'digest-mismatch' | 'object-missing';
  readonly because: string;
}

/** The place of a captured object, or why it cannot be one of this capture. */
export function placeOf(object: EvidenceObject, scope: Scope): ObjectName | Rejection {
  const place = readKey(object.key);
  const ours =
    place !== undefined &&
    place.tenant === scope.tenant &&
    place.acquisitionId === scope.acquisitionId &&
    scope.sets.includes(place.set) &&
    place.name === object.name;
  if (ours) return place;
  const because = `${object.key} is no object of ${scope.sets.join(' or ')} of this acquisition`;
  return { code: 'object-missing', because };
}

/** Why what was read back is not what was captured; undefined where it is. */
export function mismatch(object: EvidenceObject, found: Found | undefined): Rejection | undefined {
  if (found === undefined) {
    return { code: 'object-missing', because: `${object.key} is not in the store` };
  }
  if (found.bytes === object.bytes && found.sha256 === object.sha256) return undefined;
  const back = `${found.bytes} bytes with SHA-256 ${found.sha256}`;
  const captured = `${object.bytes} bytes with ${object.sha256}`;
  const because = `${object.key} reads back ${back}, not ${captured}`;
  return { code: 'digest-mismatch', because };
}

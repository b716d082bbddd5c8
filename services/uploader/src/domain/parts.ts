// SPDX-License-Identifier: Apache-2.0
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import { type HeldPart, type Part, StoreFault, type Whole } from './evidence-store.ts';
import { PARTS_MAX } from './limits.ts';

/** Throws StoreFault where a part has no number. */
export function refuseNumber(number: number): void {
  if (Number.isSafeInteger(number) && number >= 1 && number <= PARTS_MAX) return;
  throw new StoreFault('part-refused', `parts are numbered from 1 to ${PARTS_MAX}`);
}

/**
 * True where a part is there already. Throws StoreFault where another has its number; one whose
 * digest the store does not know may be replaced, as the whole is compared later.
 */
export function isHeld(there: HeldPart | undefined, part: Part): boolean {
  if (there?.sha256 === undefined) return false;
  if (there.sha256 === part.sha256 && there.bytes === part.bytes) return true;
  const message =
    `part ${part.number} was stored with SHA-256 ${there.sha256}: ` +
    'send that again, or DELETE the upload and begin anew';
  throw new StoreFault('part-differs', message);
}

/** Throws StoreFault unless the parts, by number, are those of the whole. */
export function refuseParts(parts: readonly HeldPart[], whole: Whole): void {
  const gap = parts.findIndex((part, index) => part.number !== index + 1);
  const missing = gap < 0 ? parts.length + 1 : gap + 1;
  if (missing <= whole.parts) {
    const message = `part ${missing} of ${whole.parts} is not here: PUT it`;
    throw new StoreFault('object-mismatch', message);
  }
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (parts.length === whole.parts && bytes === whole.bytes) return;
  const message = `there are ${parts.length} parts with ${bytes} bytes`;
  throw new StoreFault('object-mismatch', `${message}: GET this URL tells which`);
}

/** The object that stands, if it is this whole. Throws StoreFault where it is another one. */
export function sameObject(object: EvidenceObject | undefined, whole: Whole): EvidenceObject {
  if (object?.sha256 === whole.sha256 && object.bytes === whole.bytes) return object;
  const message = `the object stands with SHA-256 ${object?.sha256} and never changes`;
  throw new StoreFault('object-differs', message);
}

/** What is said of a part that comes too late. */
export function alreadyComplete(): StoreFault {
  const message = 'the object is complete and never changes: GET this URL tells what it is';
  return new StoreFault('object-complete', message);
}

/** What is said of bytes that are not what was announced. */
export function notAsAnnounced(number: number): StoreFault {
  const message = `part ${number}: the bytes do not have the length and digest announced`;
  return new StoreFault('digest-mismatch', `${message}: send it again`);
}

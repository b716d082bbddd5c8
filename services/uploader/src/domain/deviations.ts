// SPDX-License-Identifier: Apache-2.0
import type { Deviation, Retention, StoredObject } from '@impound/contracts/evidence.ts';
import { millisecondsOf } from '@impound/contracts/time.ts';
import type { Held } from './evidence-store.ts';

/** Stores keep whole seconds, and some fewer digits than a record of them. */
const DATE_MS_MAX = 1_000;

/** What of an object is not as it was on record; `held`: how the store holds it now. */
export function deviations(
  stored: StoredObject,
  held: Held | undefined,
  nowMs: number,
): readonly Deviation[] {
  if (held === undefined) {
    return [{ code: 'object-gone', because: `the store does not hold ${nameOf(stored)} any more` }];
  }
  return [...versionDeviations(stored, held), ...lockDeviations(stored, held.retention, nowMs)];
}

function nameOf({ key, versionId }: StoredObject): string {
  return versionId === undefined ? key : `version ${versionId} of ${key}`;
}

function versionDeviations(stored: StoredObject, held: Held): readonly Deviation[] {
  const { bytes, sha256, versionId, fingerprint } = stored;
  const found: Deviation[] = [];
  if (held.bytes !== bytes) {
    const because = `${held.bytes} bytes, ${bytes} are on record`;
    found.push({ code: 'object-differs', because });
  } else if (held.sha256 !== undefined && held.sha256 !== sha256) {
    const because = `SHA-256 ${held.sha256}, ${sha256} is on record`;
    found.push({ code: 'object-differs', because });
  } else if (fingerprint !== undefined && !held.fingerprints?.includes(fingerprint)) {
    const tells = held.fingerprints?.join(' and ') || 'nothing';
    const because = `the store tells ${tells} of it, ${fingerprint} is on record`.slice(0, 512);
    found.push({ code: 'object-differs', because });
  }
  if (versionId === undefined) return found;
  if (held.topVersionId === undefined) {
    const because = `it was deleted: version ${versionId} is kept, and not what a reader gets`;
    found.push({ code: 'object-deleted', because });
  } else if (held.topVersionId !== versionId) {
    const because = `version ${held.topVersionId} stands above version ${versionId}`;
    found.push({ code: 'object-replaced', because });
  }
  return found;
}

function lockDeviations(
  { retention: laid }: StoredObject,
  held: Retention,
  nowMs: number,
): readonly Deviation[] {
  const untilMs = millisecondsOf(laid.until ?? '');
  // A lock whose time is over is not held any more, as it should be.
  if (laid.mode === 'none' || !(untilMs > nowMs + DATE_MS_MAX)) return [];
  const record = `${laid.mode} until ${laid.until} is on record`;
  if (held.mode === 'none') {
    return [{ code: 'lock-lifted', because: `${record}, and it is not held` }];
  }
  const found: Deviation[] = [];
  if (laid.mode === 'compliance' && held.mode === 'governance') {
    const because = `${record}, and governance is left: who has the right can lift it`;
    found.push({ code: 'lock-weakened', because });
  }
  if (millisecondsOf(held.until ?? '') < untilMs - DATE_MS_MAX) {
    found.push({
      code: 'lock-shortened',
      because: `${record}, and it is held until ${held.until}`,
    });
  }
  return found;
}

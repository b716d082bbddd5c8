// SPDX-License-Identifier: Apache-2.0
import type { EvidenceObject, StoredObject } from '@impound/contracts/evidence.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { Later } from '@impound/runtime/fault.ts';
import { measuresOf } from '@impound/runtime/metrics.ts';
import { METRICS } from '@impound/runtime/semantics.ts';
import { type EvidenceStore, StoreFault } from '../domain/evidence-store.ts';
import { mismatch, placeOf, type Rejection, type Scope } from '../domain/verification.ts';

/** What reading back needs. */
export interface ReadingBack {
  readonly store: Pick<EvidenceStore, 'kind' | 'verify' | 'retain'>;
  readonly now: () => number;
}

const STILL_READING_MS = 1_000;
const AWAY_MS = 15_000;

/**
 * Reads one object back, holds it against its digest and locks it, in this order; only then it
 * counts as stored. Throws Later where the store is away, or the signal ends a long reading.
 */
export async function readBack(
  of: { readonly object: EvidenceObject; readonly scope: Scope; readonly cause: string },
  { store, now }: ReadingBack,
  signal: AbortSignal,
): Promise<StoredObject | Rejection> {
  const place = placeOf(of.object, of.scope);
  if ('code' in place) return place;
  try {
    const found = await store.verify({ object: place, cause: of.cause }, signal);
    const rejection = mismatch(of.object, found);
    if (rejection !== undefined) return rejection;
    measuresOf('uploader').count(METRICS.verified, of.object.bytes);
    const { versionId, fingerprint } = found ?? {};
    const retention = await store.retain({ object: place, versionId });
    const told = {
      ...(versionId === undefined ? {} : { versionId }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
    };
    return { ...of.object, store: store.kind, ...told, verifiedAt: timeOf(now()), retention };
  } catch (cause) {
    throw later(of.object, cause, signal);
  }
}

function later(object: EvidenceObject, cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) {
    const message = `${object.key} is still being read`;
    return new Later('still-reading', STILL_READING_MS, message, { cause });
  }
  if (!(cause instanceof StoreFault)) return cause;
  return new Later(cause.code, AWAY_MS, cause.message, { cause });
}

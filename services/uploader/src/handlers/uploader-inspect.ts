// SPDX-License-Identifier: Apache-2.0
import type { UploaderInspectV1 } from '@impound/contracts/ask/uploader.inspect.v1.ts';
import type { InspectedObject, StoredObject } from '@impound/contracts/evidence.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { millisecondsOf } from '@impound/contracts/time.ts';
import { Later, Never } from '@impound/runtime/fault.ts';
import { deviations } from '../domain/deviations.ts';
import { type EvidenceStore, StoreFault } from '../domain/evidence-store.ts';
import { type ObjectName, readKey } from '../domain/object-name.ts';

interface Deps {
  readonly store: Pick<EvidenceStore, 'inspect'>;
  readonly now: () => number;
}

type Inspect = typeof UploaderInspectV1;
const AWAY_MS = 15_000;

/** Looks at stored objects of one acquisition again: how the store holds them now. */
export async function uploaderInspect(
  { tenant, acquisitionId, objects }: RequestOf<Inspect>,
  deps: Deps,
): Promise<ReplyOf<Inspect>> {
  const found: InspectedObject[] = [];
  for (const stored of objects) {
    const place = readKey(stored.key);
    if (place?.tenant !== tenant || place.acquisitionId !== acquisitionId) {
      throw new Never('object-missing', `${stored.key} is no object of this acquisition`);
    }
    found.push(await inspected(stored, place, deps));
  }
  return { objects: found };
}

async function inspected(
  stored: StoredObject,
  object: ObjectName,
  { store, now }: Deps,
): Promise<InspectedObject> {
  const { key, sha256, versionId, verifiedAt } = stored;
  const version = { object, versionId };
  const held = await store.inspect(version, millisecondsOf(verifiedAt)).catch((cause: unknown) => {
    if (!(cause instanceof StoreFault)) throw cause;
    throw new Later(cause.code, AWAY_MS, cause.message, { cause });
  });
  return {
    ...{ key, sha256, ...(versionId === undefined ? {} : { versionId }) },
    ...(held === undefined ? {} : { retention: held.retention }),
    deviations: [...deviations(stored, held, now())],
  };
}

// SPDX-License-Identifier: Apache-2.0
import type { UploaderReadV1 } from '@impound/contracts/ask/uploader.read.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { Never } from '@impound/runtime/fault.ts';
import type { EvidenceStore } from '../domain/evidence-store.ts';
import { READ_URL_MS } from '../domain/limits.ts';
import { type ObjectName, readKey } from '../domain/object-name.ts';

/** Writes URLs that only the uploader can have written. */
export interface ReadUrls {
  read(object: ObjectName, expiresMs: number): string;
}

/** Gives a short-lived URL for one stored object of one acquisition. */
export async function uploaderRead(
  request: RequestOf<typeof UploaderReadV1>,
  deps: {
    readonly store: Pick<EvidenceStore, 'stat'>;
    readonly urls: ReadUrls;
    readonly now: () => number;
  },
): Promise<ReplyOf<typeof UploaderReadV1>> {
  const place = readKey(request.key);
  const ours =
    place?.tenant === request.tenant && place.acquisitionId === request.acquisitionId
      ? place
      : undefined;
  const object = ours && (await deps.store.stat(ours));
  if (ours === undefined || object === undefined) {
    throw new Never('object-missing', 'the store has no such object of this acquisition');
  }
  const expiresMs = deps.now() + READ_URL_MS;
  return {
    url: deps.urls.read(ours, expiresMs),
    expiresAt: timeOf(expiresMs),
    bytes: object.bytes,
    sha256: object.sha256,
  };
}

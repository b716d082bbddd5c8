// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import type { StorePlace } from '@impound/bucket/store-url.ts';
import type { Secret } from '@impound/runtime/secret.ts';
import type { MirrorStore } from '../handlers/mirroring.ts';
import { boundedMirror } from './bounded-mirror.ts';
import { fileMirror } from './file-mirror.ts';

/** The kinds of places that a mirror may be kept in. */
export type MirrorPlace = Extract<StorePlace, { kind: 'file' | 's3' }>;

/** Opens a mirror for as long as the scope lasts. The SDK is loaded for a bucket only. */
export async function openMirror(
  place: MirrorPlace,
  key: Secret | undefined,
  scope: AsyncDisposableStack,
): Promise<MirrorStore> {
  if (place.kind === 'file') return boundedMirror(fileMirror(resolve(place.directory)));
  const { bucketMirror } = await import('./bucket-mirror.ts');
  return boundedMirror(await bucketMirror(place, key, scope));
}

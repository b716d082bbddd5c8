// SPDX-License-Identifier: Apache-2.0
import { readStoreUrl } from '@impound/bucket/store-url.ts';
import { mirroredLog } from '@impound/ledger/adapters/mirror-fsck.ts';
import { openMirror } from '@impound/ledger/adapters/open-mirror.ts';
import type { KeptLog } from '@impound/ledger/handlers/fsck-ports.ts';
import { readConfig, withFiles } from '@impound/runtime/config.ts';
import { SecretText } from '@impound/runtime/secret.ts';
import * as z from 'zod';
import type { Here } from './command.ts';
import { EXIT, Exit } from './exit-code.ts';

const mirrorConfig = z.object({
  /** ACCESS_KEY_ID:SECRET_ACCESS_KEY for a bucket; absent: what the SDK finds by itself. */
  MIRROR_KEY: SecretText.optional(),
});

/** Works on what a mirror keeps: a directory or a bucket. Throws Exit(usage) for neither. */
export async function inMirror<T>(
  { environment }: Here,
  { mirror, work }: { readonly mirror: string; readonly work: (log: KeptLog) => Promise<T> },
  signal: AbortSignal,
): Promise<T> {
  const address = mirror.includes('://');
  const place = address ? readStoreUrl(mirror) : { kind: 'file' as const, directory: mirror };
  if (typeof place === 'string' || (place.kind !== 'file' && place.kind !== 's3')) {
    throw new Exit(EXIT.usage, '--mirror is a directory, file:///… or s3://bucket/prefix');
  }
  const { MIRROR_KEY } = readConfig(mirrorConfig, await withFiles(mirrorConfig, environment));
  await using scope = new AsyncDisposableStack();
  return await work(await mirroredLog(await openMirror(place, MIRROR_KEY, scope), signal));
}

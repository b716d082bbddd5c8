// SPDX-License-Identifier: Apache-2.0

import { Later, Never } from '@impound/runtime/fault.ts';
import { KubernetesFault } from './fault.ts';
import { isPermanent } from './permanence.ts';

const AGAIN_MS = 1_000;

/** Errors of the cluster become the words of the house here, and go no further. */
export function translated(cause: unknown): never {
  if (!(cause instanceof KubernetesFault)) throw cause;
  const { code, message, retryAfterMs = AGAIN_MS } = cause;
  if (isPermanent(cause)) throw new Never(code, message, { cause });
  throw new Later(code, retryAfterMs, message, { cause });
}

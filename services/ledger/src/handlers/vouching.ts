// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import { unlessAborted } from '@impound/runtime/wait.ts';
import type { Signer } from '@impound/transparency/log-keys.ts';
import { sealLeaf } from './seal-leaf.ts';

/** The leaf that vouches for a seal, of which it is given the entry; undefined: not now. */
export type Vouch = (seal: string) => Promise<Buffer | undefined>;

/** How long all that is said may have to wait for a signature, and how seldom it does again. */
export interface VouchLimits {
  readonly signMsMax: number;
  readonly restMs: number;
}

const LIMITS: VouchLimits = { signMsMax: 1_000, restMs: 4_000 };

/**
 * Signs seals where they are committed, by a key that may be far away. A signer that fails or is
 * slow is left alone for a while, so that only seals wait for it.
 */
export function vouching(
  submitter: Signer,
  logging: Pick<Logging, 'warn'>,
  { signMsMax, restMs }: VouchLimits = LIMITS,
): Vouch {
  let againAt = -Infinity;
  return async (seal) => {
    if (performance.now() < againAt) return undefined;
    try {
      return await unlessAborted(sealLeaf(submitter, seal), AbortSignal.timeout(signMsMax));
    } catch (error) {
      againAt = performance.now() + restMs;
      logging.warn('seal not signed yet', { because: messageOf(error) });
      return undefined;
    }
  };
}

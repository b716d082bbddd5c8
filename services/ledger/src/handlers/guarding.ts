// SPDX-License-Identifier: Apache-2.0
import { GuardsBrokenV1 } from '@impound/contracts/guards/broken.v1.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import { unlessAborted, wait } from '@impound/runtime/wait.ts';
import type { SayOwn } from './say-own.ts';

/** Looks at the guards of a database again and again. */
export interface GuardingOn {
  /** Every reason not to write into the database; rejects with Later where it cannot be asked. */
  readonly guardFaults: () => Promise<readonly string[]>;
  readonly guardMs: number;
  readonly logging: Logging;
  readonly sayOwn: SayOwn;
}

/** A look that takes longer is given up, and taken anew. */
const LOOK_MS_MAX = 10_000;
const FAULTS_MAX = 32;
const FAULT_CHARACTERS_MAX = 512;

/**
 * Puts on record that guards are not in their place any more, until the signal aborts. A start
 * refuses the same. Here the writing goes on: what comes in is evidence, and the entry that tells
 * of it must come under a checkpoint that others see.
 */
export async function guarding(on: GuardingOn, signal: AbortSignal): Promise<void> {
  let guardedAt = timeOf(Date.now());
  let known: readonly string[] = [];
  while (!signal.aborted) {
    try {
      await wait(on.guardMs, signal);
      const lookedAt = timeOf(Date.now());
      const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS_MAX)]);
      const faults = await unlessAborted(on.guardFaults(), limit);
      if (faults.length === 0) guardedAt = lookedAt;
      else await tell(on, { faults, guardedAt, known }, signal);
      known = faults;
    } catch (error) {
      if (signal.aborted) return;
      on.logging.warn('guards not looked at', { because: messageOf(error) });
    }
  }
}

interface Told {
  readonly faults: readonly string[];
  readonly guardedAt: string;
  /** What is on record already. */
  readonly known: readonly string[];
}

async function tell(
  { sayOwn, logging }: GuardingOn,
  { faults, guardedAt, known }: Told,
  signal: AbortSignal,
): Promise<void> {
  logging.error('database unguarded', { because: faults.join('; ') });
  if (faults.every((one) => known.includes(one))) return;
  const short = faults.slice(0, FAULTS_MAX).map((one) => one.slice(0, FAULT_CHARACTERS_MAX));
  await sayOwn(GuardsBrokenV1, GuardsBrokenV1.shape.parse({ guardedAt, faults: short }), signal);
}

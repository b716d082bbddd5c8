// SPDX-License-Identifier: Apache-2.0
import type { Policy } from '@impound/transparency/policy.ts';
import type { CustodyReader } from './custody-read.ts';

/** By whom a checkpoint must have been signed, and not before when, in seconds since 1970. */
export interface Wanted {
  readonly policy: Policy | undefined;
  readonly cosignedSince?: bigint;
}

/** Who signed, as the policy names them, and when. */
interface Signed {
  readonly name: string;
  readonly time: bigint;
}

/** Whether enough witnesses have signed the log's own checkpoint, and late enough. */
export function checkQuorum(
  reader: Pick<CustodyReader, 'add'>,
  witnesses: readonly Signed[],
  { policy, cosignedSince = 0n }: Wanted,
): void {
  // Witnesses of sigsum look at the other head: verifySeal() counts them there.
  const others = policy?.witnesses.some(({ vkey }) => vkey === undefined) ?? false;
  if (policy === undefined || others) return;
  quorumFault(reader, witnesses, { policy, cosignedSince, name: 'checkpoint' });
}

/** Adds a finding where these cosignatures are too few, or too old: a log that was stopped. */
export function quorumFault(
  reader: Pick<CustodyReader, 'add'>,
  signed: readonly Signed[],
  wanted: { readonly policy: Policy; readonly cosignedSince: bigint; readonly name: string },
): void {
  const { policy, cosignedSince, name } = wanted;
  const enough = (by: readonly Signed[]) => policy.isQuorum(new Set(by.map((one) => one.name)));
  const fresh = signed.filter(({ time }) => time >= cosignedSince);
  if (cosignedSince === 0n ? enough(signed) : fresh.length > 0 && enough(fresh)) return;
  const by = signed.map((one) => one.name).join(', ') || 'nobody';
  if (signed.length === 0 || !enough(signed)) {
    const what = `cosigned by ${by}, where the policy wants ${policy.quorum}`;
    reader.add('quorum-unmet', what, { name });
  } else {
    const last = signed.map(({ time }) => time).toSorted((a, b) => Number(b - a))[0];
    const what = `last cosigned in second ${last}, and not since ${cosignedSince}: it may be an old view`;
    reader.add('cosignature-stale', what, { name });
  }
}

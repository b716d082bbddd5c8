// SPDX-License-Identifier: Apache-2.0

import type { ChainReport } from '@impound/evidence/verify-chain.ts';
import { leafHash } from '@impound/evidence/verify-chain.ts';
import type { KeptLog } from '@impound/ledger/handlers/fsck-ports.ts';
import type { Here } from './command.ts';
import { EXIT, Exit } from './exit-code.ts';
import type { Finding } from './verdict.ts';

const HASH = /^[0-9a-f]{64}$/;
const CHAIN = 'custody/chain.jsonl';

/**
 * What a chain lacks at its end, by what is known elsewhere: the hash of the last entry that was
 * told (--head), and a mirror of the whole log (--mirror). Throws Exit(usage).
 */
export async function cutFindings(
  here: Here,
  chain: ChainReport,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { args } = here;
  const [head, mirror] = [args.text('head'), args.text('mirror')];
  if (head !== undefined && !HASH.test(head)) {
    throw new Exit(EXIT.usage, '--head takes a chain head as impound export prints it');
  }
  const told = head === undefined || head === chain.head ? [] : [headFinding(head, chain.head)];
  if (mirror === undefined) return told;
  return [...told, ...(await mirrorFindings(here, { mirror, chain }, signal))];
}

function headFinding(told: string, found: string): Finding {
  const what = `the chain ends with ${found}, and ${told} was told: entries were left out or added`;
  return { code: 'chain-cut', what, where: CHAIN };
}

/** Entries of this acquisition that a mirror of the log holds behind the last one in the bag. */
async function mirrorFindings(
  here: Here,
  { mirror, chain }: { readonly mirror: string; readonly chain: ChainReport },
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  // Looking at a bag alone needs none of it.
  const { inMirror } = await import('./mirror.ts');
  const work = (log: KeptLog) => beyond(log, chain, signal);
  return await inMirror(here, { mirror, work }, signal);
}

async function beyond(
  log: KeptLog,
  { state, head }: ChainReport,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const needle = `{"acq":"${state.acquisitionId}"`;
  let last: { readonly idx: number; readonly hash: string } | undefined;
  let entries = 0;
  for await (const leaves of log.entries(signal)) {
    for (const { idx, entry } of leaves) {
      if (entry.subarray(0, needle.length).toString('latin1') !== needle) continue;
      entries += 1;
      last = { idx, hash: leafHash(entry) };
    }
  }
  // A mirror may be older than the bag: what it does not hold yet says nothing.
  if (last === undefined || entries < state.version || last.hash === head) return [];
  const what = `the mirror holds ${entries} entries of it up to ${last.idx}, the bag ${state.version}: others were left out`;
  return [{ code: 'chain-cut', what, where: CHAIN, index: BigInt(last.idx) }];
}

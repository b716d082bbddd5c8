// SPDX-License-Identifier: Apache-2.0
import type { LedgerHistoryV1 } from '@impound/contracts/ask/ledger.history.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import type { StoredEntry } from '../domain/telling.ts';

/** Chains, entry by entry. */
export interface Histories {
  /** The chain's version and its entries after one, at most about `bytesMax` of them. */
  history(
    of: { readonly tenant: string; readonly acquisitionId: string; readonly after: number },
    bytesMax: number,
  ): Promise<{ readonly version: number; readonly entries: readonly StoredEntry[] }>;
}

/** A reply is at most this long: far below what the bus carries, and never less than one entry. */
export const HISTORY_BYTES_MAX = 204_800;
const ENTRIES_MAX = 1_000;
/** Field names, index and hash around an entry's text. */
const AROUND_BYTES = 160;

/** Answers with as many entries as fit; who asks goes on after the last. */
export async function ledgerHistory(
  request: RequestOf<typeof LedgerHistoryV1>,
  deps: { readonly chains: Histories },
): Promise<ReplyOf<typeof LedgerHistoryV1>> {
  const { version, entries } = await deps.chains.history(request, HISTORY_BYTES_MAX);
  return { version, entries: fitting(entries) };
}

/** The first entries that fit into one reply. */
export function fitting(entries: readonly StoredEntry[]): StoredEntry[] {
  let bytes = AROUND_BYTES;
  return entries.slice(0, ENTRIES_MAX).filter(({ text }) => {
    bytes += Buffer.byteLength(JSON.stringify(text)) + AROUND_BYTES;
    return bytes <= HISTORY_BYTES_MAX;
  });
}

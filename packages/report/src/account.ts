// SPDX-License-Identifier: Apache-2.0
import { type Acquisition, fold } from '@impound/contracts/chain.ts';
import type { Entry } from '@impound/contracts/entry.ts';
import type { EvidenceObject, StoredObject } from '@impound/contracts/evidence.ts';
import { exportedObjects } from '@impound/evidence/verify-chain.ts';

/** An entry with what its bytes hash to. */
export interface Recorded {
  readonly entry: Entry;
  /** Leaf hash (RFC 6962 section 2.1), lower-case hex. */
  readonly leaf: string;
  /** Its position in the log, where it is known. */
  readonly index?: number | undefined;
}

/** One object of evidence as an exhibit. */
export interface Exhibit extends EvidenceObject {
  /** The acquisition and a number within it. */
  readonly number: string;
  /** Where and how the store holds it; absent where that is not on record. */
  readonly stored?: StoredObject | undefined;
}

/** One acquisition with all that its reports tell of it. */
export interface Account {
  readonly state: Acquisition;
  readonly entries: readonly Recorded[];
  readonly exhibits: readonly Exhibit[];
}

/** The account of a whole chain, in the order of its entries. */
export function accountOf(entries: readonly Recorded[]): Account {
  const state = fold(entries.map(({ entry }) => entry));
  const stored = new Map(
    state.executions.flatMap((one) => one.stored?.objects ?? []).map((one) => [one.key, one]),
  );
  const exhibits = exportedObjects(state).map((object, at) => ({
    ...object,
    number: `${state.acquisitionId}/${at + 1}`,
    stored: stored.get(object.key),
  }));
  return { state, entries, exhibits };
}

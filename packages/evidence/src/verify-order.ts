// SPDX-License-Identifier: Apache-2.0
import { type Acquisition, endsAcquisition, liveExecution } from '@impound/contracts/chain.ts';
import type { Entry } from '@impound/contracts/entry.ts';

const BEGINS = 'acquisition.requested.v1';
const ASSIGNS = 'acquisition.assigned.v1';
const CLAIMS = 'execution.started.v1';
/** What only the holder of the live epoch may say, once. */
const RESULTS = ['evidence.captured.v1', 'execution.failed.v1'];
/** It names what was not recorded as its cause. */
const FENCED = 'execution.fenced.v1';

/** Gives what is wrong with an entry behind the state that the entries before it make. */
export type OrderCheck = (entry: Entry, state: Acquisition) => readonly string[];

/**
 * Holds a chain to the order in which the ledger records events: a cause before what it caused, an
 * epoch claimed once and ended once, an end that is the end. What was replayed under another id, or
 * put in by somebody who holds the pen, is found by it.
 */
export function orderCheck(): OrderCheck {
  const causes = new Map<string, number>();
  return (entry, state) => {
    const { id, type, causationid } = entry.event;
    const caused = causes.get(id);
    if (causationid !== undefined && type !== FENCED && !causes.has(causationid)) {
      causes.set(causationid, entry.acqSeq);
    }
    const faults = [...endFaults(entry, state), ...epochFaults(entry, state)];
    if (caused === undefined || caused >= entry.acqSeq) return faults;
    return [...faults, `it is the cause of entry ${caused}, which stands before it`];
  };
}

function endFaults({ event: { type } }: Entry, { version, ended }: Acquisition): string[] {
  if ((version === 0) !== (type === BEGINS)) return [`${type} does not stand where chains begin`];
  if (ended === undefined || (!endsAcquisition(type) && type !== ASSIGNS)) return [];
  return [`${type} stands behind ${ended.type}, which ended the chain`];
}

function epochFaults({ event }: Entry, state: Acquisition): string[] {
  const { type, data } = event;
  const live = liveExecution(state);
  if (type === ASSIGNS && live !== undefined) return ['an epoch begins while another is live'];
  if (type !== CLAIMS && !RESULTS.includes(type)) return [];
  const { epoch, worker } = data as { readonly epoch?: unknown; readonly worker?: unknown };
  if (live?.assigned.epoch !== epoch || live === undefined) {
    return [`${type} says to be of epoch ${Number(epoch)}, which is not live here`];
  }
  const holder = live.started?.worker;
  const is = holder === (type === CLAIMS ? undefined : worker);
  if (is) return [];
  if (type === CLAIMS) return [`epoch ${live.assigned.epoch} is claimed a second time`];
  return [`${type} comes from a worker that does not hold the epoch`];
}

// SPDX-License-Identifier: Apache-2.0
import { LedgerHistoryV1 } from '@impound/contracts/ask/ledger.history.v1.ts';
import { LedgerOpenV1 } from '@impound/contracts/ask/ledger.open.v1.ts';
import type { Acquisition } from '@impound/contracts/chain.ts';
import { Entry } from '@impound/contracts/entry.ts';
import type { RequestOf } from '@impound/contracts/question.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import { Never } from '@impound/runtime/fault.ts';
import { childId } from '@impound/runtime/ids.ts';
import type { House } from '@impound/runtime/service.ts';
import type { Decided } from '../domain/decision.ts';
import type { Ledger, Link, Outcome } from '../domain/ledger.ts';

/** What was decided long ago must be decided again: a worker may have been heard since. */
const SAY_MS_MAX = 6_000;

/**
 * The ledger over the bus. Throws Later where it is away, Never where it answers what is no chain,
 * and TimeoutError where a say was not answered in time.
 */
export function busLedger(house: Pick<House, 'ask' | 'say'>): Ledger {
  return {
    history: async (chain, after, signal) => {
      const request = { ...chain, after } as RequestOf<typeof LedgerHistoryV1>;
      const { version, entries } = await house.ask(LedgerHistoryV1, request, signal);
      return { version, links: entries.map(readLink) };
    },
    open: async (page, signal) => {
      const request = page as RequestOf<typeof LedgerOpenV1>;
      return (await house.ask(LedgerOpenV1, request, signal)).chains;
    },
    say: async (state, decided, signal) => {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(SAY_MS_MAX)]);
      const saying = sayingOf(state, decided);
      return outcomeOf(saying, await house.say(saying, limited));
    },
  };
}

/** The id follows from the chain alone, so that every coordinator says the same event once. */
function sayingOf(state: Acquisition, decided: Decided) {
  const { tenant, acquisitionId, lastId, version } = state;
  return {
    ...decided,
    id: childId(lastId, decided.contract.type),
    tenant,
    acquisitionId,
    causeId: lastId,
    expectedVersion: version,
  };
}

function outcomeOf(
  { id, expectedVersion }: { readonly id: string; readonly expectedVersion: number },
  reply: SayReply,
): Outcome {
  if (reply.ok) {
    const { seq, version, entryHash: hash, recordedAt, differs } = reply;
    const isNext = version === expectedVersion + 1 && !differs;
    if (!isNext || recordedAt === undefined) return { kind: 'recorded' };
    return { kind: 'recorded', place: { id, seq, hash, recordedAt } };
  }
  if (reply.refusal === 'conflict') return { kind: 'conflict' };
  return { kind: 'refused', because: `${reply.refusal}: ${reply.because}` };
}

function readLink(given: { seq: number; hash: string; text: string }): Link {
  const entry = Entry.safeParse(jsonOf(given.text));
  if (!entry.success) {
    throw new Never('no-entry', `entry ${given.seq} of the ledger is no entry: verify the ledger`);
  }
  return { seq: given.seq, hash: given.hash, entry: entry.data };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

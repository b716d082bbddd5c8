// SPDX-License-Identifier: Apache-2.0
import { formatTarget } from '@impound/contracts/target.ts';
import type { Chain } from './chains.ts';
import type { Decided, Now } from './decision.ts';
import { type ChainAt, type Desk, decideNow, forget, watch } from './desk.ts';
import { joinable, mayJoin } from './joining.ts';
import type { ChainRef, Link, Place } from './ledger.ts';

/** Events said in one go about one chain; more than any ladder needs. */
const ROUNDS_MAX = 64;
/** The next attempt after the ledger refused what was decided. */
const REFUSED_MS = 60_000;
/** The next attempt after the ledger was away, or after too many rounds. */
export const AGAIN_MS = 5_000;
/** Older chains of one target that are looked at before one goes its own way. */
const OTHERS_MAX = 256;

/**
 * Says one event after the other until nothing is left to say about this chain at this moment.
 * Version 0: nothing was heard of it.
 */
export async function settle(desk: Desk, at: ChainAt, signal: AbortSignal): Promise<void> {
  const { version, ...ref } = at;
  // What was heard is enough to begin with; where the chain has moved on, the first say conflicts.
  let known = version || undefined;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const moved = await step(desk, { ref, known }, signal);
    if (moved === 'settled') return;
    known = moved.to;
  }
  watch(desk, { ...ref, version: 0 }, desk.clock() + AGAIN_MS);
}

/** The chain is another one: at this version, or, where somebody else moved it, at any. */
interface Moved {
  readonly to: number | undefined;
}

/** Reads, decides, and says at most one event: then the chain has moved, whoever moved it. */
async function step(
  desk: Desk,
  { ref, known }: { readonly ref: ChainRef; readonly known: number | undefined },
  signal: AbortSignal,
): Promise<'settled' | Moved> {
  const chain = await desk.chains.read(ref, known, signal);
  const { state } = chain;
  desk.ears.answered(desk.clock());
  desk.ears.learn(state);
  const decision = decideNow(desk, chain, await othersOf(desk, chain, signal));
  const at: ChainAt = { ...ref, version: state.version };
  if (decision.say) return sayIt(desk, { chain, at, say: decision.say }, signal);
  if (decision.wakeAtMs === undefined) forget(desk, ref.acquisitionId);
  else watch(desk, at, decision.wakeAtMs);
  return 'settled';
}

async function sayIt(
  desk: Desk,
  it: { readonly chain: Chain; readonly at: ChainAt; readonly say: Decided },
  signal: AbortSignal,
): Promise<'settled' | Moved> {
  const outcome = await desk.ledger.say(it.chain.state, it.say, signal);
  const fields = { acquisitionId: it.at.acquisitionId, type: it.say.contract.type };
  if (outcome.kind === 'conflict') return { to: undefined };
  if (outcome.kind === 'recorded') {
    desk.log.info('decision recorded', fields);
    return outcome.place === undefined ? { to: undefined } : said(desk, it, outcome.place);
  }
  desk.log.error('decision refused', { ...fields, because: outcome.because });
  watch(desk, it.at, desk.clock() + REFUSED_MS);
  return 'settled';
}

/** Goes on from what was said itself: to read it again would be one more question for each. */
function said(
  desk: Desk,
  { chain, say }: { readonly chain: Chain; readonly say: Decided },
  { id, seq, hash, recordedAt }: Place,
): Moved {
  const { acquisitionId, tenant, version } = chain.state;
  const { contract, data } = say;
  const event = { id, tenant, type: contract.type, data: contract.shape.parse(data) };
  const head = { acq: acquisitionId, acqSeq: version + 1, acqPrev: chain.lastEntry, recordedAt };
  const entry = { ...head, event } as Link['entry'];
  desk.chains.heard({ acquisitionId, tenant }, { seq, hash, entry });
  return { to: version + 1 };
}

/**
 * The older chain that this one may join, if there is one: looked for from the oldest on. Where
 * there was none once, there is none for ever: what begins later is younger.
 */
async function othersOf(desk: Desk, chain: Chain, signal: AbortSignal): Promise<Now['others']> {
  const { acquisitionId, tenant, request } = chain.state;
  if (!mayJoin(chain.state) || request === undefined || desk.oldest.has(acquisitionId)) return [];
  const search = { tenant, target: formatTarget(request.target), after: -1, limit: OTHERS_MAX };
  const rows = await desk.ledger.open(search, signal);
  const older = rows.filter(({ seq }) => seq < chain.seq);
  if (older.length === 0) desk.oldest.add(acquisitionId);
  for (const row of older) {
    const { state } = await desk.chains.read(row, row.version, signal);
    if (joinable(chain.state, state, desk.clock())) return [state];
  }
  return [];
}

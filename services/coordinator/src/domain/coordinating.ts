// SPDX-License-Identifier: Apache-2.0
import type { Progress } from '@impound/contracts/progress.ts';
import {
  type ChainAt,
  type Desk,
  decideNow,
  deskOf,
  forget,
  isSettled,
  type World,
  watch,
} from './desk.ts';
import type { Link, OpenChain } from './ledger.ts';
import { AGAIN_MS, settle } from './settling.ts';

/** A chain at a version, as it was heard of: with the entry that brought it there. */
export type Heard = ChainAt & Omit<Link, 'hash'> & { readonly entryHash: string };

/** What a handler asks for: say whatever follows from this chain, at this version at least. */
export interface Advance {
  advance(heard: Heard, signal: AbortSignal): Promise<void>;
}

/** One coordinator. It owns no record: whatever it keeps is read again after a start. */
export interface Coordinating extends Advance {
  /** A heartbeat came in. */
  heard(progress: Progress): void;
  /** Advances every open chain that is unknown or has moved: how a start picks up everything. */
  sweep(signal: AbortSignal): Promise<void>;
  /** Advances every chain whose moment has come. */
  ring(signal: AbortSignal): Promise<void>;
}

const PAGE = 500;
const SLOTS = 16;

/** A coordinator. Several of them at once do no harm: the chain's version lets one speak. */
export function coordinating(world: World): Coordinating {
  const desk = deskOf(world);
  const turns = new Map<string, Promise<void>>();
  return {
    advance: ({ tenant, acquisitionId, version, seq, entryHash: hash, entry }, signal) => {
      const chain = { tenant, acquisitionId, version };
      desk.chains.heard(chain, { seq, hash, entry });
      const isDone = () => isSettled(desk, chain);
      return alone(turns, chain, { isDone, work: () => work(desk, chain, signal) });
    },
    heard: (progress) => desk.ears.heard(progress, desk.clock()),
    sweep: async (signal) => {
      const moved = (await openChains(desk, signal)).filter((chain) => !isSettled(desk, chain));
      await each(desk, moved, signal, (chain) => {
        const isDone = () => isSettled(desk, chain);
        return alone(turns, chain, { isDone, work: () => work(desk, chain, signal) });
      });
    },
    ring: async (signal) => {
      const due = desk.moments.due(desk.clock()).flatMap((id) => desk.watched.get(id) ?? []);
      await each(desk, due, signal, (chain) => {
        const isDone = () => isQuiet(desk, chain);
        // What time alone decides is decided on what the ledger has by now.
        const read = { ...chain, version: 0 };
        return alone(turns, chain, { isDone, work: () => work(desk, read, signal) });
      });
      desk.wake(desk.moments.nextMs());
    },
  };
}

/** One turn at a time for each chain; a turn that is no longer needed is left out. */
async function alone(
  turns: Map<string, Promise<void>>,
  { acquisitionId }: ChainAt,
  turn: { readonly isDone: () => boolean; readonly work: () => Promise<void> },
): Promise<void> {
  for (let other = turns.get(acquisitionId); other; other = turns.get(acquisitionId)) {
    await other.catch(() => undefined);
  }
  if (turn.isDone()) return;
  const working = turn.work().finally(() => turns.delete(acquisitionId));
  turns.set(acquisitionId, working);
  await working;
}

/** A chain that could not be advanced is tried again later, whatever the reason. */
async function work(desk: Desk, chain: ChainAt, signal: AbortSignal): Promise<void> {
  const { tenant, acquisitionId, version } = chain;
  try {
    await settle(desk, { tenant, acquisitionId, version }, signal);
  } catch (error) {
    watch(desk, { ...chain, version: 0 }, desk.clock() + AGAIN_MS);
    throw error;
  }
}

/** Whether time alone changes nothing: a worker that was heard has moved its own moment. */
function isQuiet(desk: Desk, at: ChainAt): boolean {
  const chain = desk.chains.known(at.acquisitionId);
  if (chain === undefined || chain.state.version !== at.version) return false;
  const { say, wakeAtMs } = decideNow(desk, chain, []);
  if (say !== undefined || wakeAtMs === undefined) return false;
  watch(desk, at, wakeAtMs);
  return true;
}

/** Every open chain; what was watched before and is not open any more is forgotten. */
async function openChains(desk: Desk, signal: AbortSignal): Promise<readonly OpenChain[]> {
  const before = [...desk.watched.keys()];
  const open: OpenChain[] = [];
  for (let page = PAGE, after = -1; page === PAGE; after = open.at(-1)?.seq ?? after) {
    const rows = await desk.ledger.open({ after, limit: PAGE }, signal);
    desk.ears.answered(desk.clock());
    open.push(...rows);
    page = rows.length;
  }
  const ids = new Set(open.map(({ acquisitionId }) => acquisitionId));
  for (const id of before) if (!ids.has(id)) forget(desk, id);
  return open;
}

/** Some at once, oldest first; one that fails is tried again later and stops no other. */
async function each(
  desk: Desk,
  chains: readonly ChainAt[],
  signal: AbortSignal,
  act: (chain: ChainAt) => Promise<void>,
): Promise<void> {
  const queue = chains.values();
  const faults: unknown[] = [];
  const slot = async (): Promise<void> => {
    for (const chain of queue) {
      if (signal.aborted) return;
      await act(chain).catch((error: unknown) => void faults.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(SLOTS, chains.length) }, slot));
  if (faults.length === 0 || signal.aborted) return;
  const [fault] = faults;
  const because = fault instanceof Error ? fault.message : String(fault);
  // One line for all: where the ledger is away it is the same for every chain.
  desk.log.warn('chains not advanced', { chains: faults.length, because });
}

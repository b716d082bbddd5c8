// SPDX-License-Identifier: Apache-2.0
import { type Alarms, alarms } from './alarms.ts';
import { type Chain, type Chains, chainsOf } from './chains.ts';
import { decide } from './decide.ts';
import type { Decision, Now } from './decision.ts';
import { type Hearing, hearing } from './hearing.ts';
import type { ChainRef, Ledger } from './ledger.ts';

/** The world of a coordinator. */
export interface World {
  readonly ledger: Ledger;
  /** Unix milliseconds. */
  readonly clock: () => number;
  /** Told whenever the earliest moment may have changed; undefined: there is none. */
  readonly wake: (atMs: number | undefined) => void;
  readonly log: {
    info(phrase: string, fields: object): void;
    warn(phrase: string, fields: object): void;
    error(phrase: string, fields: object): void;
  };
}

/** A chain at a version. */
export interface ChainAt extends ChainRef {
  readonly version: number;
}

/** What one coordinator keeps in mind. None of it is a record: a start reads it again. */
export interface Desk extends World {
  readonly chains: Chains;
  readonly ears: Hearing;
  readonly moments: Alarms;
  /** Chains that have not ended, and the version after which nothing was left to say. */
  readonly watched: Map<string, ChainAt>;
  /** Chains that have none before them that they could join. */
  readonly oldest: Set<string>;
}

/** The desk of a coordinator that has just started. */
export function deskOf(world: World): Desk {
  return {
    ...world,
    chains: chainsOf(world.ledger),
    ears: hearing(world.clock()),
    moments: alarms(),
    watched: new Map(),
    oldest: new Set(),
  };
}

/** Nothing is left to say about a chain at this version, before this moment. */
export function watch(desk: Desk, chain: ChainAt, atMs: number | undefined): void {
  const { tenant, acquisitionId, version } = chain;
  desk.watched.set(acquisitionId, { tenant, acquisitionId, version });
  desk.moments.set(acquisitionId, atMs);
  desk.wake(desk.moments.nextMs());
}

/** The chain has ended. */
export function forget(desk: Desk, acquisitionId: string): void {
  desk.watched.delete(acquisitionId);
  desk.oldest.delete(acquisitionId);
  desk.moments.set(acquisitionId, undefined);
  desk.chains.forget(acquisitionId);
  desk.ears.forget(acquisitionId);
  desk.wake(desk.moments.nextMs());
}

/** Whether everything that followed from this version was said. */
export function isSettled({ watched }: Desk, { acquisitionId, version }: ChainAt): boolean {
  return (watched.get(acquisitionId)?.version ?? 0) >= version;
}

/** What follows now from a chain as it was read. */
export function decideNow(desk: Desk, chain: Chain, others: Now['others']): Decision {
  const { state, lastEntry } = chain;
  return decide(state, {
    nowMs: desk.clock(),
    lastHeardMs: (epoch) => desk.ears.lastHeardMs(state, epoch),
    executorHeardMs: desk.ears.executorHeardMs,
    others,
    lastEntry,
  });
}

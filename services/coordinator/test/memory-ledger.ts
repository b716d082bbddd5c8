// SPDX-License-Identifier: Apache-2.0
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { endsAcquisition } from '@impound/contracts/chain.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { childId } from '@impound/runtime/ids.ts';
import type { Ledger, Link } from '../src/domain/ledger.ts';
import { BEGIN_MS, entriesOf, type Fact, hashOf } from './story.ts';

/** A ledger in memory, with as many chains as a test likes. */
export interface MemoryLedger extends Ledger {
  /** Adds to a chain as others would. */
  tell(id: string, ...facts: readonly Fact[]): void;
  /** The types of a chain, oldest first. */
  typesOf(id: string): readonly string[];
  /** How often each port was called. */
  readonly calls: { history: number; open: number; say: number };
  /** Makes every call fail until it is set back. */
  away: boolean;
  /** Refuses every say with this reason. */
  refusal: string | undefined;
}

const PAGE = 3;

/** An empty ledger; what is said to it is recorded at the given clock. */
export function memoryLedger(clock: () => number): MemoryLedger {
  const chains = new Map<string, Fact[]>();
  const ids = new Set<string>();
  const calls = { history: 0, open: 0, say: 0 };
  const answer = async (which: keyof typeof calls): Promise<void> => {
    await Promise.resolve();
    calls[which] += 1;
    if (self.away) throw new Error('nobody answered');
  };
  const linksOf = (id: string): readonly Link[] => {
    const seq = [...chains.keys()].indexOf(id) * 1_000;
    const entries = entriesOf(chains.get(id) ?? [], id);
    return entries.map((entry, at) => ({ seq: seq + at, hash: hashOf(at + 1), entry }));
  };
  const tell = (id: string, ...facts: readonly Fact[]): void => {
    chains.set(id, [...(chains.get(id) ?? []), ...facts]);
  };
  const self: MemoryLedger = {
    calls,
    away: false,
    refusal: undefined,
    tell,
    typesOf: (id) => (chains.get(id) ?? []).map(({ contract }) => contract.type),
    history: async ({ acquisitionId }, after) => {
      await answer('history');
      const links = linksOf(acquisitionId);
      return { version: links.length, links: links.slice(after, after + PAGE) };
    },
    open: async ({ target, after, limit }) => {
      await answer('open');
      const open = [...chains].filter(([, facts]) => !facts.some(isEnd) && isOf(facts, target));
      const rows = open.map(([acquisitionId, facts]) => {
        const seq = [...chains.keys()].indexOf(acquisitionId) * 1_000;
        return { tenant: 'default', acquisitionId, seq, version: facts.length };
      });
      return rows.filter(({ seq }) => seq > after).slice(0, limit);
    },
    say: async (state, { contract, data }) => {
      await answer('say');
      const id = childId(state.lastId, contract.type);
      if (self.refusal) return { kind: 'refused', because: self.refusal };
      if (ids.has(id)) return { kind: 'recorded' };
      if (chains.get(state.acquisitionId)?.length !== state.version) return { kind: 'conflict' };
      ids.add(id);
      tell(state.acquisitionId, { contract, data: data as object, afterMs: clock() - BEGIN_MS });
      const last = linksOf(state.acquisitionId).at(-1);
      if (last === undefined) return { kind: 'recorded' };
      const { seq, hash, entry } = last;
      return { kind: 'recorded', place: { id, seq, hash, recordedAt: entry.recordedAt } };
    },
  };
  return self;
}

const isEnd = ({ contract }: Fact) => endsAcquisition(contract.type);

function isOf([first]: readonly Fact[], target: string | undefined): boolean {
  if (target === undefined) return true;
  return formatTarget(AcquisitionRequestedV1.shape.parse(first?.data).target) === target;
}

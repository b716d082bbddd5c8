// SPDX-License-Identifier: Apache-2.0
import type { Way } from './wire.ts';

/** What is going on when something breaks: says alone, such that fill a tile, or a new key. */
export const SCENES = ['says', 'tile', 'rotation'] as const;
export type Scene = (typeof SCENES)[number];

/** What breaks. */
export type Fault =
  | 'ledger killed'
  | 'postgres killed'
  | 'backend killed'
  | 'nats-server killed'
  | 'connection cut'
  | 'connection half open';

/** One message that was seen on a wire. */
export interface SeenStep {
  readonly wire: 'database' | 'bus';
  readonly way: Way;
  readonly label: string;
}

/** One thing that breaks at one message: before it goes through, or while a server works on it. */
export interface Cell extends SeenStep {
  readonly scene: Scene;
  readonly moment: 'before' | 'during';
  readonly fault: Fault;
}

const KILLS = ['ledger killed', 'postgres killed', 'backend killed'] as const;
const ENDS_STATEMENT = /^(CommandComplete|ReadyForQuery):/;
const COMMITS = /^Sync: insert/;
/** Signs of life on the bus, which come by at any time, and subscribing, which no say causes. */
const ASIDE = /^(PING|PONG|SUB|UNSUB|INFO|CONNECT)\b/;

/** Every cell of these messages; where several scenes have one, it is broken in the first. */
export function cellsOf(seen: Readonly<Record<Scene, readonly SeenStep[]>>): readonly Cell[] {
  const known = new Set<string>();
  return SCENES.flatMap((scene) =>
    seen[scene].flatMap((step) => {
      const { wire, way, label } = step;
      const name = `${wire} ${way} ${label}`;
      if (known.has(name) || (wire === 'bus' && ASIDE.test(label))) return [];
      known.add(name);
      const faults = wire === 'bus' ? busFaults() : databaseFaults(step);
      return faults.map(([moment, fault]) => ({ scene, wire, way, label, moment, fault }));
    }),
  );
}

type Break = readonly [Cell['moment'], Fault];

function busFaults(): Break[] {
  return [
    ['before', 'ledger killed'],
    ['before', 'nats-server killed'],
    ['before', 'connection cut'],
  ];
}

/** An answer that is not the last two tells nothing new of the server: it is only cut off there. */
function databaseFaults({ way, label }: SeenStep): Break[] {
  const kills = way === 'in' || ENDS_STATEMENT.test(label) ? KILLS : [];
  const before = [...kills, 'connection cut'].map((fault): Break => ['before', fault as Fault]);
  if (way === 'out' || !COMMITS.test(label)) return before;
  const within = [...KILLS, 'connection cut', 'connection half open'] as const;
  return [...before, ...within.map((fault): Break => ['during', fault])];
}

/** Some of the cells, always the same: spread evenly over each kind of fault. */
export function sampleOf(cells: readonly Cell[], each: number): readonly Cell[] {
  const kinds = Map.groupBy(cells, ({ moment, fault, wire }) => `${wire} ${moment} ${fault}`);
  return [...kinds.values()].flatMap((some) => {
    const stride = Math.max(1, some.length / each);
    const count = Math.min(each, some.length);
    return Array.from({ length: count }, (_, n) => some[Math.floor((n + 0.5) * stride)] as Cell);
  });
}

/** A cell in words. */
export function nameOf({ scene, way, label, moment, fault }: Cell): string {
  const arrow = way === 'in' ? 'to' : 'from';
  return `${scene}: ${fault} ${moment} ${label} (${arrow} the server)`;
}

// SPDX-License-Identifier: Apache-2.0
import type { Entry } from '@impound/contracts/entry.ts';
import { LEASE_MS } from '@impound/contracts/progress.ts';
import { wait } from '@impound/runtime/wait.ts';
import type { Fleet } from '../fleet/fleet.ts';

/** Stages of an acquisition, by what was just committed, streamed or said. */
export const MOMENTS = [
  'requested',
  'approved',
  'resolved',
  'checked',
  'assigned',
  'started',
  'mid-stream',
  'captured',
  'stored',
  'sealing',
] as const;
export type Moment = (typeof MOMENTS)[number];
export type Way = 'exec-stream' | 'ephemeral-container';

/** One death at one stage; nobody dies where the victim is left out. */
export interface Cell {
  readonly victim: string | undefined;
  readonly moment: Moment;
  readonly way: Way;
}

/** How a cell ended. */
export interface Ended {
  readonly cell: Cell;
  /** From the moment the killed one worked again; from the request where nobody was killed. */
  readonly ms: number;
  readonly outcome: string;
  readonly text: string;
  readonly findings: readonly string[];
  /** Set where it took longer than the lease and the work: by how it reads. */
  readonly late?: string | undefined;
}

/** After each of these types an entry was just committed. */
const AFTER: Readonly<Partial<Record<Moment, string>>> = {
  requested: 'acquisition.requested.v1',
  approved: 'acquisition.approved.v1',
  resolved: 'target.resolved.v1',
  checked: 'access.checked.v1',
  assigned: 'acquisition.assigned.v1',
  started: 'execution.started.v1',
  captured: 'evidence.captured.v1',
  stored: 'evidence.stored.v1',
};

/** The collector has sent this much: headers and the first files. */
const MIDWAY_BYTES = 4_096;
/** Beside the lease: what a start, a second attempt's wait and the rest of the work may take. */
const WORK_MS_MAX = 2_000;
const STUCK_MS = 150_000;
const GRACE_MS = 2_000;

/** Kills one part at one stage of a new acquisition and follows that to its end. */
export async function runCell(
  fleet: Fleet,
  { cell, calmMs }: { readonly cell: Cell; readonly calmMs: number },
  signal: AbortSignal,
): Promise<Ended> {
  const pod = podFor(fleet, cell);
  const goOn = Promise.withResolvers<void>();
  const come = comingOf(fleet, { ...cell, pod, until: goOn.promise });
  using _paused = come.paused;
  const askedAtMs = Date.now();
  const ordering = orderFor(fleet, cell, pod);
  let backAtMs = askedAtMs;
  if (cell.victim !== undefined) {
    await Promise.race([come.moment, neverCame(fleet, ordering, signal)]);
    const victim = fleet.victim(cell.victim);
    await victim.kill();
    goOn.resolve();
    await victim.ready();
    backAtMs = Date.now();
  }
  goOn.resolve();
  const acquisitionId = await ordering;
  const limit = AbortSignal.timeout(STUCK_MS);
  const ending = fleet.tap.ended(acquisitionId, AbortSignal.any([signal, limit]));
  const end = await ending.catch(() => undefined);
  const chain = await fleet.tap.chain(acquisitionId);
  if (end === undefined) return stuck(cell, chain, signal);
  const ms = Math.max(0, Date.parse(end.recordedAt) - backAtMs);
  return endedWith({ cell, ms, calmMs, end, chain });
}

/** Rejects where the acquisition ends before it comes to the stage, or is refused at the door. */
async function neverCame(
  { tap }: Fleet,
  ordering: Promise<string>,
  signal: AbortSignal,
): Promise<never> {
  const end = await tap.ended(await ordering, signal);
  // What comes at the very end is told at the same time as the end itself.
  await wait(GRACE_MS, signal);
  throw new Error(`it ended with ${end.event.type} before it came to this stage`);
}

let turn = 0;

/** Always another pod, so that what a dead executor left in one does not meet the next. */
function podFor({ pods }: Fleet, { way }: Cell): string {
  const kind = way === 'exec-stream' ? 'shell' : 'bare';
  const fitting = pods.filter((name) => name.startsWith(kind));
  turn += 1;
  return fitting[turn % fitting.length] ?? '';
}

async function orderFor(fleet: Fleet, { way, moment }: Cell, pod: string): Promise<string> {
  if (moment !== 'approved') return await fleet.order(pod, { methods: [way] });
  const acquisitionId = await fleet.order(pod, { methods: [way] }, fleet.asker);
  const path = `/v1/acquisitions/${acquisitionId}/approve`;
  // Where the answer is lost the chain tells whether it counts: without it the deadline ends it.
  await fleet.client.post(path, { reason: 'a drill' }).catch(() => undefined);
  return acquisitionId;
}

interface Coming {
  readonly moment: Promise<unknown>;
  readonly paused: Disposable | undefined;
}

function comingOf(
  { tap, lab }: Fleet,
  at: { readonly moment: Moment; readonly pod: string; readonly until: Promise<void> },
): Coming {
  const type = AFTER[at.moment];
  if (type !== undefined) return { moment: tap.next(type), paused: undefined };
  if (at.moment === 'sealing') {
    return { moment: tap.nextSay('acquisition.sealed.v1'), paused: undefined };
  }
  const { promise: moment, resolve: reached } = Promise.withResolvers<void>();
  const path = new RegExp(`/pods/${at.pod}/exec`);
  const { until } = at;
  const kind = 'pause';
  return { moment, paused: lab.inject({ kind, afterBytes: MIDWAY_BYTES, reached, until, path }) };
}

function stuck(cell: Cell, chain: readonly Entry[], signal: AbortSignal): Ended {
  signal.throwIfAborted();
  const types = chain.map(({ event }) => event.type).join(', ');
  const text = `stuck for ${STUCK_MS / 1_000} s: ${types}`;
  return { cell, ms: STUCK_MS, outcome: 'stuck', text, findings: [`${nameOf(cell)}: ${text}`] };
}

function endedWith(it: {
  readonly cell: Cell;
  readonly ms: number;
  readonly calmMs: number;
  readonly end: Entry;
  readonly chain: readonly Entry[];
}): Ended {
  const { cell, ms, calmMs, end, chain } = it;
  const { code, because } = end.event.data;
  const verb = end.event.type.split('.')[1] ?? '';
  const outcome = verb === 'sealed' ? verb : `${verb}: ${code ?? because}`;
  const epochs = chain.filter(({ event }) => event.type === 'acquisition.assigned.v1').length;
  const text = `${outcome} after ${(ms / 1_000).toFixed(1)} s, ${epochs} epochs`;
  return judged({ cell, ms, outcome, text, findings: [] }, calmMs);
}

/** The same, held against what the work takes where nobody is killed. */
export function judged(ended: Ended, calmMs: number): Ended {
  const { cell, ms, text } = ended;
  const limitMs = LEASE_MS + WORK_MS_MAX + calmMs;
  const isLate = cell.victim !== undefined && ms > limitMs;
  const late = isLate ? `${nameOf(cell)}: ${text}, later than ${limitMs / 1_000} s` : undefined;
  return { ...ended, late };
}

function nameOf({ victim, moment, way }: Cell): string {
  return `${victim} killed at ${moment}, ${way}`;
}

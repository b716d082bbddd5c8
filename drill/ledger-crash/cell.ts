// SPDX-License-Identifier: Apache-2.0
import { wait } from '@impound/runtime/wait.ts';
import { LEAVES_EACH, sayAcquisitions } from './acquisitions.ts';
import type { Cell, Scene } from './cells.ts';
import { hold, type Kept } from './hold.ts';
import type { Speech } from './speaker.ts';
import type { Stand } from './stand.ts';
import type { Fate, Step } from './wire.ts';

/** How a cell ended. */
export interface Ended {
  /** From the fault until the last say was answered; undefined: the step never came by. */
  readonly ms: number | undefined;
  /** Says that had been committed when nobody was answered: they were found under their ids. */
  readonly found: number;
  readonly findings: readonly string[];
}

const CHAINS = 6;
const TILE_WIDTH = 256;
/** How far before a tile is full the says of a cell begin. */
const BEFORE_FULL = 8;
/** Nothing takes that long on a machine on which others leave it a tenth of a core. */
const CELL_MS_MAX = 180_000;
/** Well within the commit, which takes COMMIT_MICROSECONDS at least. */
const WITHIN_COMMIT_MS = 15;
/** Some steps come by themselves, now and then. */
const COMES_MS_MAX = 6_000;

/** Breaks one thing at one message while says are under way, and holds what came of it. */
export async function runCell(
  stand: Stand,
  kept: Kept,
  cell: Cell,
  stage: AbortSignal,
): Promise<Ended> {
  // Filling a tile takes hundreds of says before anything is broken: that has its own time.
  const before = await set(stand, cell.scene, stage);
  const signal = AbortSignal.any([stage, AbortSignal.timeout(CELL_MS_MAX)]);
  try {
    return await broken(stand, kept, { cell, before }, signal);
  } catch (error) {
    stage.throwIfAborted();
    if (!signal.aborted) throw error;
    return { ms: undefined, found: 0, findings: [`stuck for ${CELL_MS_MAX / 1_000} s`] };
  } finally {
    stand.wires[cell.wire].watch(() => 'pass');
  }
}

async function broken(
  stand: Stand,
  kept: Kept,
  { cell, before }: { readonly cell: Cell; readonly before: readonly Speech[] },
  signal: AbortSignal,
): Promise<Ended> {
  const fault = armed(stand, cell);
  await begin(stand, cell.scene);
  const speeches = await sayAcquisitions(stand, CHAINS, signal);
  const answeredAt = performance.now();
  const struckAt = (await Promise.race([fault, wait(COMES_MS_MAX, signal)])) ?? undefined;
  stand.wires[cell.wire].watch(() => 'pass');
  await Promise.all([stand.ledger.ready(), stand.database.ready(), stand.bus.ready()]);
  const findings = await hold(stand, kept, [...before, ...speeches], signal);
  const ms = struckAt === undefined ? undefined : Math.max(0, answeredAt - struckAt);
  return { ms, found: foundIn(stand, speeches), findings };
}

/** Brings the log to where the scene begins; gives what was said for that. */
export async function set(
  stand: Stand,
  scene: Scene,
  signal: AbortSignal,
): Promise<readonly Speech[]> {
  if (scene !== 'tile') return [];
  const [row] = await stand.sql`select max(size_after) as size from ledger_batch`;
  const free = TILE_WIDTH - (Number(row?.['size']) % TILE_WIDTH) - BEFORE_FULL;
  if (free <= 0) return [];
  return await sayAcquisitions(stand, Math.floor(free / LEAVES_EACH), signal);
}

/** The session that writes begins anew, so that each of its messages comes by. */
export async function begin(stand: Stand, scene: Scene): Promise<void> {
  if (scene !== 'rotation') return stand.wires.database.cut();
  await stand.rotate('checkpoint');
  await stand.signers.rotate();
  await stand.ledger.kill();
}

function foundIn({ speaker }: Stand, speeches: readonly Speech[]): number {
  const first = speeches.map(({ id }) => speaker.answers.get(id)?.[0]);
  return first.filter((reply) => reply?.ok === true && reply.repeated).length;
}

/** Waits for the cell's message and breaks what is to break; gives when. */
function armed(stand: Stand, cell: Cell): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let struck: Promise<Fate> | undefined;
  let pid: number | undefined;
  stand.wires[cell.wire].watch((step) => {
    if (struck !== undefined) return step.pid !== undefined && step.pid === pid ? struck : 'pass';
    if (step.way !== cell.way || step.label !== cell.label) return 'pass';
    pid = step.pid;
    struck = strike(stand, cell, step).finally(() => resolve(performance.now()));
    return struck;
  });
  return promise;
}

async function strike(stand: Stand, { moment, fault }: Cell, step: Step): Promise<Fate> {
  if (moment === 'during') {
    step.pass();
    await wait(WITHIN_COMMIT_MS, new AbortController().signal);
  }
  if (fault === 'connection half open') return 'half';
  if (fault === 'ledger killed') await stand.ledger.kill();
  if (fault === 'nats-server killed') await stand.bus.kill();
  if (fault === 'postgres killed') await stand.database.kill();
  if (fault === 'backend killed') killed(step.pid);
  return 'cut';
}

function killed(pid: number | undefined): void {
  if (pid === undefined) throw new Error('the process behind the connection is not known');
  process.kill(pid, 'SIGKILL');
}

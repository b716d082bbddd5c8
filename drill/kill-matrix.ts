// SPDX-License-Identifier: Apache-2.0
import { audit } from './fleet/audit.ts';
import { podNames } from './fleet/cluster.ts';
import { SERVICES } from './fleet/crew.ts';
import { auditLines, type Drill, type Stage } from './fleet/drill.ts';
import { type Fleet, startFleet } from './fleet/fleet.ts';
import { type Cell, type Ended, judged, MOMENTS, runCell, type Way } from './kill-matrix/cell.ts';
import { table } from './kill-matrix/table.ts';

const VICTIMS = [...SERVICES, 'postgres', 'nats-server'] as const;
const WAYS: readonly Way[] = ['exec-stream', 'ephemeral-container'];
const PODS = 6;
/** What an interruption left is told again this soon where nobody wants to wait for it. */
const STALL_SHORT = { ledger: { STALL_MS: '2000' } };

/** Every part of the platform dies at every stage of an acquisition. */
export const killMatrix: Drill = {
  sentence:
    'Kills every service, PostgreSQL and nats-server with SIGKILL at every stage of an acquisition.',
  run: async (stage) => {
    const pods = podNames(PODS, PODS);
    const settings = stage.full ? {} : STALL_SHORT;
    await using fleet = await startFleet({ pods, settings }, stage.signal);
    const cells = cellsOf(stage);
    stage.tell(`${cells.length} cells`);
    const ended: Ended[] = [];
    for (const row of Map.groupBy(cells, ({ victim }) => victim).values()) {
      for await (const one of rowOf(fleet, row, stage)) {
        ended.push(one);
        stage.tell(`${ended.length} of ${cells.length}: ${one.late ?? namedText(one)}`);
      }
    }
    for (const line of table(ended)) stage.tell(line);
    const audited = await audit(fleet, stage.signal);
    for (const line of auditLines(audited)) stage.tell(line);
    const late = stage.clocked ? ended.flatMap((one) => one.late ?? []) : [];
    return [...ended.flatMap(({ findings }) => findings), ...late, ...audited.findings];
  },
};

function namedText({ cell, text }: Ended): string {
  return `${cell.victim} at ${cell.moment}, ${cell.way}: ${text}`;
}

/** All deaths of one victim, held against what the machine takes for the work at that time. */
async function* rowOf(fleet: Fleet, row: readonly Cell[], stage: Stage): AsyncGenerator<Ended> {
  let calm = stage.clocked ? await baseline(fleet, stage) : NOT_MEASURED;
  for (const cell of row) {
    const one = await runCell(fleet, { cell, calmMs: calm[cell.way] }, stage.signal);
    if (one.late === undefined || !stage.clocked) yield one;
    else {
      // Others may have come to the machine since it was measured.
      calm = await baseline(fleet, stage);
      yield judged(one, calm[cell.way]);
    }
  }
}

const NOT_MEASURED: Readonly<Record<Way, number>> = { 'exec-stream': 0, 'ephemeral-container': 0 };

/** What an acquisition takes on this machine at this hour where nothing is killed. */
async function baseline(fleet: Fleet, stage: Stage): Promise<Record<Way, number>> {
  const calm = { ...NOT_MEASURED };
  for (const way of WAYS) {
    const cell: Cell = { victim: undefined, moment: 'requested', way };
    const run = () => runCell(fleet, { cell, calmMs: 0 }, stage.signal);
    // The first one finds every process cold.
    await run();
    calm[way] = (await run()).ms;
    stage.tell(`undisturbed, ${way}: ${(calm[way] / 1_000).toFixed(1)} s`);
  }
  return calm;
}

/** All cells, those of one victim where it is named, or a choice that fits into every change. */
function cellsOf({ full, args }: Stage): readonly Cell[] {
  const all = VICTIMS.flatMap((victim) =>
    MOMENTS.flatMap((moment) => WAYS.map((way): Cell => ({ victim, moment, way }))),
  ).filter(({ moment, way }) => moment !== 'approved' || way === 'exec-stream');
  const wanted = args.length === 0 ? all : all.filter(({ victim = '' }) => args.includes(victim));
  return full ? wanted : wanted.filter(isShort);
}

/** The stage at which each has most to lose; both ways where the executor dies midway. */
const SHORT: Readonly<Record<string, readonly string[]>> = {
  ledger: ['requested', 'mid-stream', 'sealing'],
  coordinator: ['checked', 'captured', 'sealing'],
  discovery: ['requested'],
  'rbac-checker': ['resolved'],
  uploader: ['mid-stream', 'captured'],
  'executor-kubernetes': ['assigned', 'mid-stream'],
  gateway: ['requested', 'approved'],
  postgres: ['assigned', 'captured'],
  'nats-server': ['assigned', 'mid-stream', 'stored'],
};

function isShort({ victim = '', moment, way }: Cell): boolean {
  if (SHORT[victim]?.includes(moment) !== true) return false;
  return way === 'exec-stream' || (victim === 'executor-kubernetes' && moment === 'mid-stream');
}

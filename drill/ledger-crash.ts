// SPDX-License-Identifier: Apache-2.0
import { wait } from '@impound/runtime/wait.ts';
import type { Drill, Stage } from './fleet/drill.ts';
import { sayAcquisitions } from './ledger-crash/acquisitions.ts';
import { begin, type Ended, runCell, set } from './ledger-crash/cell.ts';
import {
  type Cell,
  cellsOf,
  nameOf,
  SCENES,
  type Scene,
  type SeenStep,
  sampleOf,
} from './ledger-crash/cells.ts';
import { fullDisk } from './ledger-crash/full-disk.ts';
import { hold, type Kept, newKept } from './ledger-crash/hold.ts';
import { openStand, type Stand } from './ledger-crash/stand.ts';

const CHAINS = 6;
const SAMPLE_EACH = 1;

/** The way of a say into the log, broken at each of its messages. */
export const ledgerCrash: Drill = {
  sentence:
    'Breaks ledger, database, bus or a connection at every message of a commit, and fills the ' +
    'disk; every answer must stand, once.',
  run: async (stage) => {
    const named = Object.keys(PARTS).some((name) => stage.args.includes(name));
    const findings: string[] = [];
    for (const [name, part] of Object.entries(PARTS)) {
      if (!named || stage.args.includes(name)) findings.push(...(await part(stage)));
    }
    return findings;
  },
};

const PARTS = { matrix, disk: fullDisk };

async function matrix(stage: Stage): Promise<readonly string[]> {
  await using stand = await openStand({}, stage.signal);
  const kept = newKept();
  const seen = {} as Record<Scene, readonly SeenStep[]>;
  // The log has begun before anything is looked at: its first entry is no scene.
  const findings = [
    ...(await hold(stand, kept, await sayAcquisitions(stand, 1, stage.signal), stage.signal)),
  ];
  for (const scene of SCENES) {
    const calm = await recorded(stand, kept, scene, stage.signal);
    seen[scene] = calm.steps;
    findings.push(...calm.findings);
  }
  const all = cellsOf(seen);
  const cells = chosen(all, stage);
  stage.tell(`${all.length} cells at ${stepsIn(all)} messages, ${cells.length} of them now`);
  const ended: [Cell, Ended][] = [];
  for (const cell of cells) {
    const one = await again(() => runCell(stand, kept, cell, stage.signal));
    ended.push([cell, one]);
    const came = one.ms !== undefined || one.findings.length > 0;
    const never = came ? [] : ['its message never came by'];
    const wrong = [...one.findings, ...never].map((what) => `${nameOf(cell)}: ${what}`);
    findings.push(...wrong);
    const at = `${ended.length} of ${cells.length}`;
    stage.tell(`  ${at}: ${nameOf(cell)}: ${one.ms?.toFixed(0)} ms, ${one.found} found`);
    for (const what of wrong) stage.tell(`NOT AS PROMISED: ${what}`);
    // What is left of a cell that went wrong would be found again in each that follows.
    if (one.findings.length > 0) break;
  }
  tellFigures(ended, stand, stage);
  stage.tell(
    `${kept.statements.signed} of them signed, each by a key that counted where it stands`,
  );
  return findings;
}

/** Words on the command line choose cells by their names. */
function chosen(all: readonly Cell[], { full, args }: Stage): readonly Cell[] {
  const words = args.filter((arg) => !(arg in PARTS));
  if (words.length > 0) return all.filter((cell) => words.every((w) => nameOf(cell).includes(w)));
  return full ? all : sampleOf(all, SAMPLE_EACH);
}

const TRIES = 3;

/** A message that comes by now and then is waited for once more. */
async function again(run: () => Promise<Ended>): Promise<Ended> {
  for (let attempt = 1; ; attempt++) {
    const ended = await run();
    if (ended.ms !== undefined || ended.findings.length > 0 || attempt === TRIES) return ended;
  }
}

function stepsIn(cells: readonly Cell[]): number {
  return new Set(cells.map(({ wire, way, label }) => `${wire} ${way} ${label}`)).size;
}

/** The messages of a scene in which nothing breaks: those of statements that says cause. */
async function recorded(
  stand: Stand,
  kept: Kept,
  scene: Scene,
  signal: AbortSignal,
): Promise<{ readonly steps: readonly SeenStep[]; readonly findings: readonly string[] }> {
  const before = await set(stand, scene, signal);
  const steps = new Map<string, SeenStep>();
  const caused = new Set<string>();
  let isCause = CHANGES;
  for (const [wire, { watch }] of Object.entries(stand.wires)) {
    watch(({ way, label }) => {
      const name = `${wire} ${way} ${label}`;
      if (isCause.test(label)) caused.add(aboutOf(label));
      if (!steps.has(name)) steps.set(name, { wire: wire as SeenStep['wire'], way, label });
      return 'pass';
    });
  }
  await begin(stand, scene);
  const speeches = [...before, ...(await sayAcquisitions(stand, 1, signal))];
  // Until here a session began; from here on all that comes by is the way into the log.
  isCause = ANYTHING;
  speeches.push(...(await sayAcquisitions(stand, CHAINS, signal)));
  await signed(stand, signal);
  for (const { watch } of Object.values(stand.wires)) watch(() => 'pass');
  const findings = await hold(stand, kept, speeches, signal);
  const onPath = [...steps.values()].filter(({ label }) => caused.has(aboutOf(label)));
  return { steps: onPath, findings };
}

const CHANGES = /: insert/;
const ANYTHING = /^/;
const LOOK_MS = 20;

/** What a message is about: its statement, or what is said on the bus. */
function aboutOf(label: string): string {
  return label.split(': ').slice(1).join(': ') || label;
}

async function signed({ sql }: Stand, signal: AbortSignal): Promise<void> {
  for (;;) {
    const [row] = await sql`
      select (select max(size) from ledger_checkpoint) = max(size_after) as so from ledger_batch`;
    if (row?.['so'] === true) return;
    await wait(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

function tellFigures(ended: readonly [Cell, Ended][], { speaker }: Stand, stage: Stage): void {
  const kinds = Map.groupBy(ended, ([{ moment, fault }]) => `${fault}, ${moment}`);
  for (const [kind, some] of kinds) {
    const ms = some.flatMap(([, one]) => one.ms ?? []).toSorted((one, other) => one - other);
    const found = some.filter(([, one]) => one.found > 0).length;
    const middle = ms[Math.floor(ms.length / 2)] ?? 0;
    const words = `${some.length} cells, all answered after ${middle.toFixed(0)} ms (median)`;
    stage.tell(`${kind}: ${words}, ${(ms.at(-1) ?? 0).toFixed(0)} ms at most, ${found} in doubt`);
  }
  stage.tell(`${speaker.said.size} events said, each on record once with the answer it got`);
}

// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { wait } from '@impound/runtime/wait.ts';
import { audit } from './fleet/audit.ts';
import { podNames } from './fleet/cluster.ts';
import { auditLines, type Drill, type Stage } from './fleet/drill.ts';
import { type Fleet, startFleet } from './fleet/fleet.ts';
import { type Midway, midway } from './fleet/midway.ts';

const PODS = 4;
const AWAY_MS = { full: 600_000, short: 10_000 };
const KEPT_MS_MAX = 60_000;
const LOOK_MS = 100;

/** What was done while nobody could write it down comes on record later. */
export const ledgerAway: Drill = {
  sentence:
    'Takes the ledger away for ten minutes while executors finish, kills an executor meanwhile, ' +
    'and wants every result on record when the ledger is back.',
  run: async (stage) => {
    const pods = podNames(PODS, 0);
    await using fleet = await startFleet({ pods }, stage.signal);
    const all = await Promise.all(
      pods.shells.map((pod) => midway(fleet, pod, stage.signal, { deadlineSeconds: 3_600 })),
    );
    const findings = await away(fleet, all, stage);
    for (const { id } of all) findings.push(...(await judge(fleet, id, stage)));
    const audited = await audit(fleet, stage.signal);
    for (const line of auditLines(audited)) stage.tell(line);
    return [...findings, ...audited.findings];
  },
};

async function away(fleet: Fleet, all: readonly Midway[], stage: Stage): Promise<string[]> {
  const [ledger] = fleet.of('ledger');
  const [executor] = fleet.of('executor-kubernetes');
  const awayMs = stage.full ? AWAY_MS.full : AWAY_MS.short;
  ledger?.neglect();
  await ledger?.kill();
  const goneAtMs = Date.now();
  for (const { goOn } of all) goOn();
  const kept = await keptResults(fleet, all.length, stage.signal);
  stage.tell(`the ledger is away; ${kept} results are kept on disk`);
  await executor?.kill();
  await executor?.ready();
  stage.tell('the executor was killed and is back, as another worker');
  await wait(awayMs - (Date.now() - goneAtMs), stage.signal);
  ledger?.mend();
  await ledger?.ready();
  stage.tell(`the ledger is back after ${Math.round((Date.now() - goneAtMs) / 1_000)} s`);
  return kept === all.length ? [] : [`only ${kept} of ${all.length} results were kept`];
}

/** How many results lie in the spool, once all do. */
async function keptResults(fleet: Fleet, wanted: number, signal: AbortSignal): Promise<number> {
  const folder = join(fleet.spoolDir, 'executor-kubernetes-1', 'executor-kubernetes');
  const giveUpAtMs = Date.now() + KEPT_MS_MAX;
  for (;;) {
    const names = await readdir(folder).catch(() => []);
    const kept = names.filter((name) => name.endsWith('.json')).length;
    if (kept >= wanted || Date.now() > giveUpAtMs) return kept;
    await wait(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

/** Nothing was collected twice: the first worker's result is the one that counts. */
async function judge({ tap }: Fleet, id: string, { signal, tell }: Stage): Promise<string[]> {
  const end = await tap.ended(id, signal);
  const types = (await tap.chain(id)).map(({ event }) => event.type);
  const claims = types.filter((type) => type === 'execution.started.v1').length;
  tell(`${id}: ${end.event.type}, ${claims} claims`);
  const whole = end.event.type === 'acquisition.sealed.v1' && claims === 1;
  return whole ? [] : [`${id}: ${types.join(', ')}`];
}

// SPDX-License-Identifier: Apache-2.0
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@impound/runtime/ids.ts';
import { wait } from '@impound/runtime/wait.ts';
import { castFleet } from '../cast.ts';
import type { Stage } from '../fleet/drill.ts';
import { type Fleet, startFleet } from '../fleet/fleet.ts';
import type { Used } from '../fleet/usage.ts';
import { figuresOf, usedIn } from './figures.ts';
import { claimsOf, countsOf, drained, whole } from './record.ts';
import { request200s } from './requests.ts';

/** What heartbeats may cost, all services together without the executors themselves. */
const RENEWALS_PERCENT_MAX = 15;
const FULL = { open: 1_000, perSecond: 20, lookMs: 60_000 };
const SHORT = { open: 100, perSecond: 50, lookMs: 5_000 };
/** Until so long after the last request all of them are claimed. */
const CLAIMED_MS_MAX = 300_000;
const DRAIN_MS_MAX = 300_000;
const LOOK_MS = 250;

/** What open acquisitions cost while nothing but their heartbeats happens. */
export async function holding(stage: Stage): Promise<readonly string[]> {
  const { open, perSecond, lookMs } = stage.full ? FULL : SHORT;
  await using scope = new AsyncDisposableStack();
  const file = join(tmpdir(), `impound-hold-${newId()}`);
  await writeFile(file, '');
  scope.defer(() => rm(file, { force: true }));
  const fleet = scope.use(await startFleet(castFleet({ file }), stage.signal));
  const idle = await usedIn(fleet, lookMs, stage.signal);
  const pace = { fleet, perSecond, seconds: open / perSecond };
  const answered = await request200s(pace, (index) => `held-${index}`, stage.signal);
  const claimed = await untilClaimed(fleet, open, stage);
  const beating = await usedIn(fleet, lookMs, stage.signal);
  const { begun, ended } = await countsOf(fleet);
  stage.tell(`${begun - ended} acquisitions open, each with a heartbeat every 5 s`);
  for (const one of beating) {
    const more = one.percent - percentOf(idle, one.name);
    stage.tell(`  ${figuresOf(one)}, ${more.toFixed(1)} % more than idle`);
  }
  await rm(file);
  const left = await drained(fleet, stage, DRAIN_MS_MAX);
  const short = begun - ended < open ? [`only ${begun - ended} of ${open} were open`] : [];
  const found = await whole(fleet, answered.ids, stage);
  return [...claimed, ...short, ...costly(idle, beating, stage), ...left, ...found];
}

async function untilClaimed(fleet: Fleet, open: number, stage: Stage): Promise<string[]> {
  const startedAt = performance.now();
  for (;;) {
    const claims = await claimsOf(fleet);
    if (claims >= open) return [];
    if (stage.clocked && performance.now() - startedAt > CLAIMED_MS_MAX) {
      return [`only ${claims} of ${open} were claimed ${CLAIMED_MS_MAX} ms after the last request`];
    }
    await wait(LOOK_MS, stage.signal);
    stage.signal.throwIfAborted();
  }
}

function percentOf(uses: readonly Used[], name: string): number {
  return uses.find((one) => one.name === name)?.percent ?? 0;
}

function costly(idle: readonly Used[], beating: readonly Used[], stage: Stage): string[] {
  const renewing = ['ledger', 'postgres', 'coordinator'];
  const cost = renewing.map((name) => percentOf(beating, name) - percentOf(idle, name));
  const percent = cost.reduce((all, one) => all + one, 0);
  stage.tell(`renewals: ${percent.toFixed(1)} % of a core in ${renewing.join(', ')}`);
  if (percent <= RENEWALS_PERCENT_MAX || !stage.full) return [];
  return [`renewals cost ${percent.toFixed(1)} % of a core, at most ${RENEWALS_PERCENT_MAX} %`];
}

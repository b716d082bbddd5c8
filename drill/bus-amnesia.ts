// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fold } from '@impound/contracts/chain.ts';
import { statusOf } from '@impound/contracts/status.ts';
import { newId } from '@impound/runtime/ids.ts';
import { wait } from '@impound/runtime/wait.ts';
import { castFleet } from './cast.ts';
import { judgeWhole } from './fleet/audit.ts';
import type { Drill, Stage } from './fleet/drill.ts';
import { type Fleet, startFleet } from './fleet/fleet.ts';
import { inTurns } from './fleet/in-turns.ts';

const FULL = { acquisitions: 1_000, holdMs: 60_000 };
const SHORT = { acquisitions: 60, holdMs: 8_000 };
/** One in so many waits for the approval of another. */
const APPROVED_EVERY = 5;
const AT_ONCE = 16;
const LOOK_MS = 250;

/** The bus dies and forgets everything while acquisitions are at every stage. */
export const busAmnesia: Drill = {
  sentence:
    'Kills nats-server with 1,000 acquisitions in flight, deletes all it kept, and starts it empty.',
  run: async (stage) => {
    const { acquisitions, holdMs } = stage.full ? FULL : SHORT;
    // What the loss left is told again soon: nobody wants to wait half a minute for it here.
    const more = stage.full ? {} : { ledger: { STALL_MS: '2000' } };
    const cast = castFleet({ ms: holdMs });
    const settings = { ...cast.settings, ...more };
    await using fleet = await startFleet({ ...cast, settings }, stage.signal);
    const waiting = await asked(fleet, acquisitions, stage);
    await underWay(fleet, acquisitions, stage);
    const lostAt = performance.now();
    await lose(fleet);
    stage.tell(`nats-server was away for ${Math.round(performance.now() - lostAt)} ms, and empty`);
    await inTurns(waiting, AT_ONCE, (id) => approve(fleet, id));
    for (const id of fleet.accepted) await fleet.tap.ended(id, stage.signal);
    const seconds = (performance.now() - lostAt) / 1_000;
    const { ends, findings } = await judgeWhole(fleet, fleet.accepted);
    const counts = Object.entries(ends).map(([type, count]) => `${count} ${type}`);
    stage.tell(`${counts.join(', ')}, the last one ${seconds.toFixed(0)} s after the loss`);
    const lost = acquisitions - (ends['acquisition.sealed.v1'] ?? 0);
    return [...findings, ...(lost === 0 ? [] : [`${lost} of ${acquisitions} did not end sealed`])];
  },
};

/** Asks for all of them; gives those that wait for an approval. */
async function asked(fleet: Fleet, acquisitions: number, stage: Stage): Promise<string[]> {
  const waiting: string[] = [];
  const places = Array.from({ length: acquisitions }, (_, at) => at);
  await inTurns(places, AT_ONCE, async (at) => {
    stage.signal.throwIfAborted();
    const byAsker = at % APPROVED_EVERY === 0;
    const id = await fleet.order(`pod-${at}`, LONG, byAsker ? fleet.asker : fleet.client);
    if (byAsker) waiting.push(id);
  });
  return waiting;
}

const LONG = { deadlineSeconds: 7_200 };

/** Waits until some are done, and most are not. */
async function underWay(fleet: Fleet, acquisitions: number, stage: Stage): Promise<void> {
  for (;;) {
    const [row] = await fleet.sql`select count(*) as ends from ledger_entry where ends`;
    if (Number(row?.['ends']) >= acquisitions / 20) break;
    await wait(LOOK_MS, stage.signal);
    stage.signal.throwIfAborted();
  }
  const { chains } = await judgeWhole(fleet, fleet.accepted);
  const statuses = [...chains.values()].map((chain) => statusOf(fold(chain)));
  const counts = Object.entries(Object.groupBy(statuses, (status) => status));
  const told = counts.map(([status, all]) => `${all?.length} ${status}`);
  stage.tell(`when the bus died: ${told.join(', ')}`);
}

async function lose(fleet: Fleet): Promise<void> {
  fleet.bus.neglect();
  await fleet.bus.kill();
  await rm(join(fleet.directory, 'nats'), { recursive: true, force: true });
  fleet.bus.mend();
  await fleet.bus.ready();
}

async function approve(fleet: Fleet, id: string): Promise<void> {
  // A decision that came through and was not answered is the same one when it comes again.
  const headers = { 'idempotency-key': newId() };
  await fleet.client.post(`/v1/acquisitions/${id}/approve`, { reason: 'a drill' }, headers);
}

// SPDX-License-Identifier: Apache-2.0
import type { Entry } from '@impound/contracts/entry.ts';
import { wait } from '@impound/runtime/wait.ts';
import { audit } from './fleet/audit.ts';
import { podNames } from './fleet/cluster.ts';
import { auditLines, type Drill, type Stage } from './fleet/drill.ts';
import { type Fleet, startFleet } from './fleet/fleet.ts';
import { leaderOf } from './fleet/leader.ts';

const REPLICAS = { ledger: 3, coordinator: 2, 'executor-kubernetes': 2 };
/** Each pod is asked for again and again; what is asked for twice at once is joined. */
const FULL = { pods: 40, orders: 400, killMs: 12_000 };
const SHORT = { pods: 8, orders: 24, killMs: 10_000 };
/** A busy machine is no reason for an acquisition to end. */
const DEADLINE_SECONDS = 3_600;
const ATTEMPTS_MAX = 60;
const AGAIN_MS = 500;

/** Several of those of which only one may decide. */
export const crowd: Drill = {
  sentence:
    'Runs two coordinators and three ledgers at once under many acquisitions, and kills those who ' +
    'lead now and then.',
  run: async (stage) => {
    const many = stage.full ? FULL : SHORT;
    const pods = podNames(many.pods, 0);
    await using fleet = await startFleet({ pods, replicas: REPLICAS }, stage.signal);
    const over = new AbortController();
    const killing = killLeaders(fleet, stage, { everyMs: many.killMs, over: over.signal });
    const startedAt = performance.now();
    const working = workOff(fleet, many, stage.signal);
    // Who kills goes on until the work is done: what ends it earlier ends the drill.
    await Promise.race([working, killing]);
    const ids = await working;
    const seconds = (performance.now() - startedAt) / 1_000;
    over.abort();
    const killed = await killing;
    for (const { event } of await Promise.all(ids.map((id) => fleet.tap.ended(id, stage.signal)))) {
      if (event.type !== 'acquisition.sealed.v1') stage.tell(`${event.subject}: ${told(event)}`);
    }
    stage.tell(`${ids.length} acquisitions ended in ${seconds.toFixed(1)} s; killed: ${killed}`);
    const audited = await audit(fleet, stage.signal);
    for (const line of auditLines(audited)) stage.tell(line);
    return audited.findings;
  },
};

function told({ type, data }: Entry['event']): string {
  return `${type}, ${data['code']}: ${data['because']}`;
}

/** Asks for everything, and gives the ids once all of it has ended. */
async function workOff(
  fleet: Fleet,
  many: { readonly pods: number; readonly orders: number },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const ids = await orderAll(fleet, many, signal);
  await Promise.all(ids.map((id) => fleet.tap.ended(id, signal)));
  return ids;
}

async function orderAll(
  fleet: Fleet,
  many: { readonly pods: number; readonly orders: number },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let round = 0; ids.length < many.orders; round++) {
    // A path of its own, so that it is another wish than the one before and not joined to it.
    const paths = [`/etc/round-${round}`];
    const wish = { methods: ['exec-stream'], paths, deadlineSeconds: DEADLINE_SECONDS };
    const asked = fleet.pods.map((pod) => orderPatiently(fleet, pod, { wish, signal }));
    ids.push(...(await Promise.all(asked)));
  }
  return ids;
}

/** A gateway whose ledger was just killed says no; who asks again with the same key is served. */
async function orderPatiently(
  fleet: Fleet,
  pod: string,
  { wish, signal }: { readonly wish: object; readonly signal: AbortSignal },
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fleet.order(pod, { ...wish });
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || signal.aborted) throw error;
      await wait(AGAIN_MS, signal);
    }
  }
}

/** Turn by turn the ledger that holds the pen and one of the coordinators. */
async function killLeaders(
  fleet: Fleet,
  stage: Stage,
  { everyMs, over }: { readonly everyMs: number; readonly over: AbortSignal },
): Promise<string> {
  const killed: string[] = [];
  for (;;) {
    await wait(everyMs, AbortSignal.any([over, stage.signal]));
    if (over.aborted || stage.signal.aborted) return killed.join(', ') || 'nobody';
    const coordinators = fleet.of('coordinator');
    const ledgerTurn = killed.length % 2 === 0;
    const victim = ledgerTurn ? await leaderOf(fleet) : coordinators[(killed.length >> 1) % 2];
    if (victim === undefined) continue;
    killed.push(victim.name);
    await victim.kill();
  }
}

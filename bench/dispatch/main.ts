// SPDX-License-Identifier: Apache-2.0
// How long it takes from a request at the door to the claim on record, as a multiple of the least
// that a durable way costs: two JetStream hops and one PostgreSQL commit, measured in turn with it.
import process from 'node:process';
import { podNames } from '../../drill/fleet/cluster.ts';
import { type Fleet, startFleet } from '../../drill/fleet/fleet.ts';
import { processorSeconds } from '../world/children.ts';
import { quantile } from '../world/figures.ts';
import { openBaseline } from './baseline.ts';

const RUNS = Number(process.argv[2] ?? 100);
const WARM_UPS = 5;
/** The baseline is short: more of it between two requests makes its p99 steady. */
const BASELINES_PER_RUN = 3;
const BENCH_MS_MAX = 1_200_000;
const signal = AbortSignal.timeout(BENCH_MS_MAX);
const HOPS = [
  ['acquisition.requested.v1', 'gateway: the order is on record'],
  ['target.resolved.v1', 'discovery: hears, asks the cluster for the pod'],
  ['access.checked.v1', 'rbac-checker: hears, has asked the cluster for each right'],
  ['acquisition.assigned.v1', 'coordinator: hears, decides'],
  ['execution.started.v1', 'executor: hears, claims'],
] as const;

/** Milliseconds of one request: in all, up to each event on the way, and of all processors. */
interface Dispatched {
  readonly all: number;
  readonly hops: readonly number[];
  readonly used: number;
}

async function dispatch(fleet: Fleet): Promise<Dispatched> {
  const seen: [string, number][] = [];
  const usedBefore = usedMs(fleet);
  let used = 0;
  const claimed = fleet.tap.next('execution.started.v1', ({ acq }) => {
    seen.push([acq, performance.now()]);
    used = usedMs(fleet) - usedBefore;
    return true;
  });
  const [startedAt, wallMs] = [performance.now(), Date.now()];
  const id = await fleet.order(fleet.pods[0] ?? '');
  await claimed;
  const at = seen.find(([acq]) => acq === id)?.[1];
  if (at === undefined) throw new Error('another acquisition was claimed');
  await fleet.tap.ended(id, signal);
  const chain = await fleet.tap.chain(id);
  const times = HOPS.map(([type]) => {
    const entry = chain.find(({ event }) => event.type === type);
    return Date.parse(entry?.recordedAt ?? '') - wallMs;
  });
  const hops = times.map((time, at) => time - (times[at - 1] ?? 0));
  return { all: at - startedAt, hops, used };
}

/** What all services have used, in steps of 10 ms: only the mean of many says something. */
function usedMs({ members }: Fleet): number {
  const seconds = members.map(({ lives }) => processorSeconds(lives.at(-1)?.pid ?? 0));
  return 1_000 * seconds.reduce((sum, one) => sum + one, 0);
}

await using fleet = await startFleet({ pods: podNames(1, 0) }, signal);
await using baseline = await openBaseline(fleet.database.now().url('postgres'), signal);
const [own, rivals, floors]: [number[], number[], number[]] = [[], [], []];
const hops: number[][] = HOPS.map(() => []);
let used = 0;
for (let run = -WARM_UPS; run < RUNS; run++) {
  const least = [];
  for (let one = 0; one < BASELINES_PER_RUN; one++) least.push(await baseline.once());
  const floor = await baseline.floor();
  const { all, hops: each, used: one } = await dispatch(fleet);
  if (run < 0) continue;
  rivals.push(...least);
  own.push(all);
  used += one;
  floors.push(floor);
  for (const [at, ms] of each.entries()) hops[at]?.push(ms);
}

const shown = (values: readonly number[]) =>
  `p50 ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(1)} ms`;
/** Code that has run seldom is slow: what a process does first is not what it does later. */
const part = Math.ceil(own.length / 3);
const times = (values: readonly number[], share: number) =>
  (quantile(values, share) / quantile(rivals, share)).toFixed(2);
console.log(`method: from the POST of a request until the claim is published, which is after its
  commit; every service a process of its own, the pretend cluster in the process that measures;
  one acquisition at a time, each collected to its end before the next; in turn with the baseline,
  two awaited JetStream publishes to waiting consumers around one PostgreSQL insert; the floor is
  five requests that are answered after an insert and four JetStream hops, and nothing else;
  all services have just been started: the ratio leaves out their first ${WARM_UPS} requests
baseline (${rivals.length}): ${shown(rivals)}
floor (${floors.length}): ${shown(floors)}
request to claim (${own.length}): ${shown(own)}
  ${shown(own.slice(0, part))}  the first third of them, when the processes are cold
  ${shown(own.slice(-part))}  the last third
  ${(used / own.length).toFixed(1)} ms of processor time in all services together, mean`);
for (const [at, [, what]] of HOPS.entries()) console.log(`  ${shown(hops[at] ?? [])}  ${what}`);
console.log(`dispatch-floor ratio=${times(floors, 0.5)}`);
console.log(`dispatch-p99 ratio=${times(own, 0.99)}`);
console.log(`dispatch ratio=${times(own, 0.5)}`);

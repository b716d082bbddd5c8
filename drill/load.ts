// SPDX-License-Identifier: Apache-2.0
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@impound/runtime/ids.ts';
import { wait } from '@impound/runtime/wait.ts';
import { castFleet } from './cast.ts';
import type { Drill, Stage } from './fleet/drill.ts';
import { type Fleet, startFleet } from './fleet/fleet.ts';
import { type Usage, usageOf, usedBetween } from './fleet/usage.ts';
import { type Answered, request200s } from './load/requests.ts';
import { quantile, type Witness, witness } from './load/witness.ts';

const MIB = 2 ** 20;
/** What heartbeats may cost, all services together without the executors themselves. */
const RENEWALS_PERCENT_MAX = 5;

const FULL = { open: 1_000, openPerSecond: 50, lookMs: 30_000, perSecond: 200 };
const SHORT = { open: 100, openPerSecond: 50, lookMs: 8_000, perSecond: 40 };
const RATE_SECONDS = { full: 600, short: 5 };
const SAMPLE_MS = { full: 30_000, short: 2_500 };
/** What has not ended by then is only looked at as far as it came. */
const DRAIN_MS_MAX = 120_000;

/** Many acquisitions at once, and then many in a short time. */
export const load: Drill = {
  sentence:
    'Holds 1,000 acquisitions open with heartbeats, then asks for 200 a second for ten minutes.',
  run: async (stage) => {
    const parts = { holding, hurrying };
    const chosen = Object.entries(parts).filter(
      ([name]) => stage.args.length === 0 || stage.args.includes(name),
    );
    const findings: string[] = [];
    for (const [, part] of chosen) findings.push(...(await part(stage)));
    return findings;
  },
};

/** What open acquisitions cost while nothing but their heartbeats happens. */
async function holding(stage: Stage): Promise<readonly string[]> {
  const so = stage.full ? FULL : SHORT;
  await using scope = new AsyncDisposableStack();
  const file = join(tmpdir(), `impound-hold-${newId()}`);
  await writeFile(file, '');
  scope.defer(() => rm(file, { force: true }));
  const fleet = scope.use(await startFleet(castFleet({ file }), stage.signal));
  const seen = witness(fleet.watcher);
  const idle = await usedIn(fleet, so.lookMs, stage);
  const names = (index: number) => `held-${index}`;
  const { open: wanted, openPerSecond: perSecond } = so;
  const answered = await request200s(
    { fleet, perSecond, seconds: wanted / perSecond },
    names,
    stage.signal,
  );
  await seen.until(() => seen.count('execution.started') >= wanted, stage.signal);
  const beating = await usedIn(fleet, so.lookMs, stage);
  const stillOpen = seen.open();
  stage.tell(`${stillOpen} acquisitions open, each with a heartbeat every 5 s`);
  for (const { name, percent, bytes } of beating) {
    const before = idle.find((one) => one.name === name)?.percent ?? 0;
    const more = (percent - before).toFixed(1);
    stage.tell(`  ${row(name, percent, bytes)}, ${more} % more than idle`);
  }
  await rm(file);
  await drained({ seen, stage });
  seen.stop();
  const short = stillOpen < wanted ? [`only ${stillOpen} of ${wanted} were open`] : [];
  return [...short, ...costly(idle, beating, stage), ...(await whole(fleet, answered, stage))];
}

type Uses = Awaited<ReturnType<typeof usedIn>>;

function costly(idle: Uses, beating: Uses, stage: Stage): string[] {
  const of = (uses: Uses, name: string) => uses.find((one) => one.name === name)?.percent ?? 0;
  const renewing = ['ledger', 'postgres', 'coordinator'];
  const cost = renewing.map((name) => of(beating, name) - of(idle, name));
  const percent = cost.reduce((all, one) => all + one, 0);
  stage.tell(`renewals: ${percent.toFixed(1)} % of a core in ${renewing.join(', ')}`);
  if (percent <= RENEWALS_PERCENT_MAX || !stage.full) return [];
  return [`renewals cost ${percent.toFixed(1)} % of a core, at most ${RENEWALS_PERCENT_MAX} %`];
}

/** Requests come faster than evidence can be stored: what is accepted ends all the same. */
async function hurrying(stage: Stage): Promise<readonly string[]> {
  const { perSecond } = stage.full ? FULL : SHORT;
  const seconds = stage.full ? RATE_SECONDS.full : RATE_SECONDS.short;
  await using fleet = await startFleet(castFleet({}), stage.signal);
  const seen = witness(fleet.watcher);
  const over = new AbortController();
  const before = usageOf(fleet);
  const startedAt = performance.now();
  const sampling = sampled({ fleet, seen, stage, before, startedAt }, over.signal);
  const answered = await request200s(
    { fleet, perSecond, seconds },
    (index) => `asked-${index}`,
    stage.signal,
  );
  over.abort();
  await sampling;
  told({ fleet, seen, stage, before, startedAt }, answered, perSecond);
  await drained({ seen, stage });
  seen.stop();
  return await whole(fleet, answered, stage);
}

/** What is open may be more than ends in a time that somebody waits for: then its pace is told. */
async function drained({ seen, stage }: Pick<Watching, 'seen' | 'stage'>): Promise<void> {
  const openAtEnd = seen.open();
  const startedAt = performance.now();
  const limit = AbortSignal.any([stage.signal, AbortSignal.timeout(DRAIN_MS_MAX)]);
  await seen.until(() => seen.open() === 0, limit).catch(() => stage.signal.throwIfAborted());
  const seconds = (performance.now() - startedAt) / 1_000;
  stage.tell(
    `${openAtEnd} were open when the last request was sent; ${openAtEnd - seen.open()} of them ` +
      `ended in the ${seconds.toFixed(0)} s after it, ${seen.open()} are still open`,
  );
}

interface Watching {
  readonly fleet: Fleet;
  readonly seen: Witness;
  readonly stage: Stage;
  readonly before: readonly Usage[];
  readonly startedAt: number;
}

async function sampled({ seen, stage, startedAt }: Watching, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await wait(stage.full ? SAMPLE_MS.full : SAMPLE_MS.short, over);
    const lags = seen.takeLags();
    const at = ((performance.now() - startedAt) / 1_000).toFixed(0);
    stage.tell(
      `  after ${at} s: ${seen.count('acquisition.requested')} requested, ${seen.open()} open, ` +
        `${seen.count('evidence.stored')} stored, relay lag p50 ${quantile(lags, 0.5)} ms, ` +
        `p99 ${quantile(lags, 0.99)} ms`,
    );
  }
}

function told(it: Watching, answered: Answered, perSecond: number): void {
  const { stage, fleet, before, startedAt } = it;
  const elapsedMs = performance.now() - startedAt;
  const { statuses, acceptedMs } = answered;
  const counts = [...statuses].map(([status, count]) => `${count} × ${status || 'no answer'}`);
  const p = (share: number) => `${quantile(acceptedMs, share).toFixed(0)} ms`;
  stage.tell(`${perSecond} a second for ${(elapsedMs / 1_000).toFixed(0)} s: ${counts.join(', ')}`);
  stage.tell(`202 after p50 ${p(0.5)}, p90 ${p(0.9)}, p99 ${p(0.99)}, at most ${p(1)}`);
  for (const { name, percent, bytes } of usedBetween(before, usageOf(fleet), elapsedMs)) {
    stage.tell(`  ${row(name, percent, bytes)}`);
  }
}

function row(name: string, percent: number, bytes: number): string {
  const cpu = percent.toFixed(1).padStart(6);
  const memory = (bytes / MIB).toFixed(0).padStart(4);
  return `${name.padEnd(20)} ${cpu} % of a core, ${memory} MiB`;
}

async function usedIn(fleet: Fleet, ms: number, { signal }: Stage) {
  const before = usageOf(fleet);
  const startedAt = performance.now();
  await wait(ms, signal);
  return usedBetween(before, usageOf(fleet), performance.now() - startedAt);
}

/** Looks at a record that is too long to be read: nothing accepted is lost, nothing has a gap. */
async function whole({ sql }: Fleet, { ids }: Answered, stage: Stage): Promise<readonly string[]> {
  const ends = await sql`
    select type, count(*) as count from ledger_entry where ends group by type order by type`;
  const [log] = await sql`select count(*) as entries, max(idx) + 1 as size from ledger_entry`;
  const [gaps] = await sql`
    select count(*) as chains from (
      select from ledger_entry group by acq having count(*) <> max(acq_seq)) as broken`;
  const recorded = await sql`select acq from ledger_entry where acq_seq = 1`;
  const known = new Set(recorded.map((row) => String(row['acq'])));
  const lost = ids.filter((id) => !known.has(id));
  const counts = ends.map((row) => `${row['count']} ${row['type']}`).join(', ');
  stage.tell(`on record: ${log?.['entries']} entries, ${known.size} chains, ended: ${counts}`);
  return [
    ...lost.slice(0, 10).map((id) => `${id} was accepted and is not on record`),
    ...(log?.['entries'] === log?.['size'] ? [] : ['the log has gaps']),
    ...(Number(gaps?.['chains']) === 0 ? [] : [`${gaps?.['chains']} chains have gaps`]),
  ];
}

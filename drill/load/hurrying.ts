// SPDX-License-Identifier: Apache-2.0
import { wait } from '@impound/runtime/wait.ts';
import { castFleet } from '../cast.ts';
import type { Stage } from '../fleet/drill.ts';
import { type Fleet, startFleet } from '../fleet/fleet.ts';
import { type Usage, usageOf } from '../fleet/usage.ts';
import { costOf, figures } from './figures.ts';
import { countsOf, drained, whole } from './record.ts';
import { type Answered, GIVEN_UP, request200s, requestAgain } from './requests.ts';
import { quantile, type Witness, witness } from './witness.ts';

/** What two executors of the cast carry at once, twice: beyond it the door says so. */
const FULL = { perSecond: 200, seconds: 600, sampleMs: 30_000, openMax: 2_000 };
const SHORT = { perSecond: 40, seconds: 5, sampleMs: 2_500, openMax: 2_000 };
const DRAIN_MS_MAX = 420_000;
/** So many of those who were not told what became of their request ask again. */
const AGAIN_MAX = 500;

interface Watching {
  readonly fleet: Fleet;
  readonly seen: Witness;
  readonly stage: Stage;
  readonly before: readonly Usage[];
  readonly startedAt: number;
}

/**
 * Requests come faster than evidence can be stored: what is accepted ends all the same, and what
 * is not is refused in words. A number among the arguments is another time than ten minutes.
 */
export async function hurrying(stage: Stage): Promise<readonly string[]> {
  const { perSecond, sampleMs, openMax, ...so } = stage.full ? FULL : SHORT;
  const seconds = Number(stage.args.find((one) => /^\d{1,4}$/.test(one)) ?? so.seconds);
  await using fleet = await startFleet(castFleet({}, { openMax }), stage.signal);
  const seen = witness(fleet.watcher);
  const over = new AbortController();
  const it = { fleet, seen, stage, before: usageOf(fleet), startedAt: performance.now() };
  const sampling = sampled(it, sampleMs, over.signal);
  const pace = { fleet, perSecond, seconds };
  const answered = await request200s(pace, (index) => `asked-${index}`, stage.signal);
  over.abort();
  await sampling;
  seen.stop();
  stage.tell(`${perSecond} a second for ${seconds} s, at most ${openMax} open:`);
  await told(it, answered);
  const left = await drained(fleet, stage, DRAIN_MS_MAX);
  stage.tell(costOf(it.before, usageOf(fleet), (await countsOf(fleet)).ended));
  const again = await askedAgain(it, answered);
  const found = await whole(fleet, [...answered.ids, ...again.ids], stage);
  return [...left, ...again.findings, ...wordless(answered, stage), ...found];
}

async function sampled(it: Watching, sampleMs: number, over: AbortSignal): Promise<void> {
  const { fleet, seen, stage, startedAt } = it;
  while (!over.aborted) {
    await wait(sampleMs, over);
    const lags = seen.takeLags();
    const at = ((performance.now() - startedAt) / 1_000).toFixed(0);
    const { begun, ended } = await countsOf(fleet);
    stage.tell(
      `  after ${at} s: ${begun} on record, ${ended} ended, ${begun - ended} open, relay lag ` +
        `p50 ${quantile(lags, 0.5)} ms, p99 ${quantile(lags, 0.99)} ms`,
    );
  }
}

async function told(it: Watching, answered: Answered): Promise<void> {
  const { stage, fleet, before, startedAt } = it;
  const elapsedMs = performance.now() - startedAt;
  const { statuses, acceptedMs, reasons, unsent } = answered;
  for (const [status, count] of statuses) {
    const reason = reasons.get(status);
    stage.tell(`  ${count} × ${status || 'no answer'}${reason === undefined ? '' : `: ${reason}`}`);
  }
  for (const [code, count] of answered.silences) stage.tell(`    ${count} × ${code}`);
  if (unsent > 0) stage.tell(`  ${unsent} were not sent: 1,000 before them had no answer yet`);
  const p = (share: number) => `${quantile(acceptedMs, share).toFixed(0)} ms`;
  stage.tell(`202 after p50 ${p(0.5)}, p90 ${p(0.9)}, p99 ${p(0.99)}, at most ${p(1)}`);
  const { ended } = await countsOf(fleet);
  stage.tell(`${ended} ended meanwhile, ${((ended * 1_000) / elapsedMs).toFixed(1)} a second`);
  for (const line of figures(before, usageOf(fleet), elapsedMs)) stage.tell(line);
}

interface Again {
  readonly ids: readonly string[];
  readonly findings: readonly string[];
}

/** Who got no clear answer asks again with the same key: it is served, and nothing begins twice. */
async function askedAgain({ fleet, stage }: Watching, { unsure }: Answered): Promise<Again> {
  if (unsure.length === 0) return { ids: [], findings: [] };
  const { begun } = await countsOf(fleet);
  const askings = unsure.slice(0, AGAIN_MAX);
  const { ids, statuses } = await requestAgain(fleet, askings, stage.signal);
  const after = await countsOf(fleet);
  stage.tell(
    `${askings.length} of ${unsure.length} without a clear answer asked again with their key: ` +
      `${after.begun - begun} began now, ${ids.length - (after.begun - begun)} were on record`,
  );
  const left = await drained(fleet, stage, DRAIN_MS_MAX);
  const refused = askings.length - ids.length;
  if (refused === 0) return { ids, findings: left };
  const counts = [...statuses].map(([status, count]) => `${count} × ${status}`);
  return { ids, findings: [...left, `${refused} were refused again: ${counts.join(', ')}`] };
}

function wordless({ wordless: count, silences }: Answered, { clocked }: Stage): string[] {
  const silent = [...silences].filter(([code]) => clocked || code !== GIVEN_UP);
  return [
    ...(count === 0 ? [] : [`${count} were refused without a reason`]),
    ...silent.map(([code, times]) => `${times} got no answer at all: ${code}`),
  ];
}

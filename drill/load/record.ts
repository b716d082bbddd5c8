// SPDX-License-Identifier: Apache-2.0
import type { Entry } from '@impound/contracts/entry.ts';
import { wait } from '@impound/runtime/wait.ts';
import { judgeWhole } from '../fleet/audit.ts';
import type { Stage } from '../fleet/drill.ts';
import type { Fleet } from '../fleet/fleet.ts';

type Looking = Pick<Fleet, 'sql'>;

/** How many chains are on record, and how many of them have ended. */
export interface Counts {
  readonly begun: number;
  readonly ended: number;
}

/** Counts chains in the database, which knows also what a listener has missed. */
export async function countsOf({ sql }: Looking): Promise<Counts> {
  const [row] = await sql`
    select (select count(*) from ledger_entry where acq_seq = 1) as begun,
      (select count(*) from ledger_entry where ends) as ended`;
  return { begun: Number(row?.['begun']), ended: Number(row?.['ended']) };
}

/** How many executions were claimed. */
export async function claimsOf({ sql }: Looking): Promise<number> {
  const [row] = await sql`
    select count(*) as claims from ledger_entry where type = 'execution.started.v1'`;
  return Number(row?.['claims']);
}

/** Where the open chains stand: how many have which entry as their last. */
async function standingOf({ sql }: Looking): Promise<string> {
  const rows = await sql`
    select last.type, count(*) as count from ledger_entry f
    cross join lateral (
      select type from ledger_entry where acq = f.acq order by acq_seq desc limit 1
    ) as last
    where f.acq_seq = 1 and not exists (select from ledger_entry x where x.acq = f.acq and x.ends)
    group by last.type order by count desc`;
  return rows.map((row) => `${row['count']} after ${row['type']}`).join(', ') || 'none';
}

const LOOK_MS = 1_000;
const TELL_MS = 30_000;
/** What ends nothing for so long stands still: the house tells again after 15 s. */
const STILL_MS_MAX = 90_000;

/**
 * Waits until nothing is open, or nothing moves, or the time is over: then it says where the rest
 * stands. Gives what was not as promised.
 */
export async function drained(
  fleet: Looking,
  stage: Stage,
  msMax: number,
): Promise<readonly string[]> {
  const startedAt = performance.now();
  const first = await countsOf(fleet);
  let so: Draining = { ...first, nowMs: 0, movedMs: 0, toldMs: 0 };
  while (so.begun > so.ended) {
    const why = stage.clocked ? givenUp(so, msMax) : undefined;
    const open = so.begun - so.ended;
    if (why !== undefined) return [`${why}: ${open} are open, ${await standingOf(fleet)}`];
    if (so.nowMs - so.toldMs > TELL_MS) {
      stage.tell(`  ${open} are open: ${await standingOf(fleet)}`);
      so = { ...so, toldMs: so.nowMs };
    }
    await wait(LOOK_MS, stage.signal);
    stage.signal.throwIfAborted();
    const counts = await countsOf(fleet);
    const nowMs = performance.now() - startedAt;
    so = { ...so, ...counts, nowMs, movedMs: counts.ended > so.ended ? nowMs : so.movedMs };
  }
  const seconds = (so.nowMs / 1_000).toFixed(0);
  stage.tell(`${first.begun - first.ended} were open, all ended in ${seconds} s`);
  return [];
}

/** How it looks so many milliseconds after the beginning, when something ended last. */
interface Draining extends Counts {
  readonly nowMs: number;
  readonly movedMs: number;
  readonly toldMs: number;
}

function givenUp({ nowMs, movedMs }: Draining, msMax: number): string | undefined {
  if (nowMs - movedMs > STILL_MS_MAX) return `nothing ended for ${STILL_MS_MAX} ms`;
  return nowMs > msMax ? `not all ended within ${msMax} ms, though they go on` : undefined;
}

const FINDINGS_MAX = 10;
const REASONS_MAX = 5;

/** Why those failed that did, the most frequent reasons first. */
function reasonsOf(chains: Iterable<readonly Entry[]>): readonly string[] {
  const reasons = [...chains]
    .map((chain) => chain.find(({ event }) => event.type === 'acquisition.failed.v1')?.event.data)
    .filter((data) => data !== undefined)
    .map((data) => `${data['code']}: ${data['because']}`);
  return [...Map.groupBy(reasons, (reason) => reason)]
    .toSorted(([, one], [, other]) => other.length - one.length)
    .slice(0, REASONS_MAX)
    .map(([reason, all]) => `  ${all.length} × ${reason}`);
}

/** Reads the whole log again: all that began is there, whole, and ended once. */
export async function whole(
  fleet: Looking,
  ids: readonly string[],
  stage: Stage,
): Promise<readonly string[]> {
  const accepted = new Set(ids);
  const { chains, ends, findings } = await judgeWhole(fleet, accepted);
  const entries = [...chains.values()].reduce((all, { length }) => all + length, 0);
  const counts = Object.entries(ends).map(([type, count]) => `${count} ${type}`);
  const untold = [...chains.keys()].filter((id) => !accepted.has(id)).length;
  stage.tell(`on record: ${entries} entries, ${chains.size} chains: ${counts.join(', ')}`);
  for (const line of reasonsOf(chains.values())) stage.tell(line);
  stage.tell(`${untold} of them began although whoever asked was not told so`);
  const more = findings.length - FINDINGS_MAX;
  return [...findings.slice(0, FINDINGS_MAX), ...(more > 0 ? [`and ${more} more like these`] : [])];
}

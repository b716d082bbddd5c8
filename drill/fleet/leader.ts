// SPDX-License-Identifier: Apache-2.0
import { wait } from '@impound/runtime/wait.ts';
import type { Fleet } from './fleet.ts';
import type { Member } from './member.ts';

const LOOK_MS = 100;
/** Nothing starts that slowly on a machine on which others leave it a tenth of a core. */
const LEADING_MS_MAX = 180_000;

/** The ledger that holds the pen, as soon as one does. Throws where none does for so long. */
export async function leaderOf({ sql, of }: Pick<Fleet, 'sql' | 'of'>): Promise<Member> {
  const giveUp = AbortSignal.timeout(LEADING_MS_MAX);
  for (;;) {
    const rows = await sql`
      select application_name as worker from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and granted`;
    const workers = rows.map((row) => row['worker']);
    const found = of('ledger').find(({ lives }) => workers.includes(lives.at(-1)?.worker));
    if (found !== undefined) return found;
    if (giveUp.aborted) throw new Error(`no ledger has led for ${LEADING_MS_MAX / 1_000} s`);
    await wait(LOOK_MS, giveUp);
  }
}

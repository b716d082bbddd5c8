// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AuditFilter } from '@impound/contracts/audit.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { testDatabase } from '@impound/runtime/testing/database.ts';
import { postgresAudit } from '../src/adapters/postgres-audit.ts';
import { migrate } from '../src/db/migrate.ts';

const ENTRIES = 400;
/** So small that every page ends before the log does. */
const BOUNDS = { windowMax: 50, apartMax: 7, chainsMax: 3 };
const tenant = 'default' as never;
const scope = new AsyncDisposableStack();
let sql: Database;

/** Targets that differ behind what an index holds of them. */
const LONG = 'n'.repeat(600);

/** Entry n is recorded in minute n; every 15th leaf is none, every 11th claims another time. */
const LOG = `
  with of as (
    select n, n / 5 as chain, n % 5 as step, n % 15 = 14 as bare,
      timestamptz '2026-01-01' + n * interval '1 minute' as at,
      convert_to('{"n":' || n || '}', 'UTF8') as text
    from generate_series(0, $1) n
  ), made as (
    select *, case when bare then decode(repeat('ab', 128), 'hex') else text end as bytes from of
  )
  insert into ledger_entry (idx, event_id, entry, leaf, acq, acq_seq, tenant, case_id, actor,
    speaker, type, target, ends, event_at, recorded_at)
  select n, case when not bare then gen_random_uuid() end, bytes, sha256('\\x00'::bytea || bytes),
    case when not bare then lpad(to_hex(chain + 1), 32, '0')::uuid end,
    case when not bare then step + 1 end,
    case when not bare then case when chain % 9 = 4 then 'other' else 'default' end end,
    case when not bare then case when chain % 20 = 3 then 'small' else 'large' end end,
    case when not bare then case when step = 0 then 'ann' when step = 1 and n % 3 = 0 then 'bob'
      else '/impound/discovery/discovery-1' end end,
    case when not bare then 'gateway' end,
    case when not bare then (array['acquisition.requested.v1', 'target.resolved.v1',
      'audit.read.v1', 'evidence.accessed.v1', 'acquisition.sealed.v1'])[step + 1] end,
    case when not bare and step = 0
      then '${LONG}' || case when chain % 40 = 2 then 'x' else 'y' end end,
    case when not bare then step = 4 end,
    case when not bare then at + case when n % 11 <> 5 then interval '-3 seconds'
      when n % 2 = 0 then interval '3 hours' else interval '-9 days' end end,
    case when not bare then at end
  from made`;

before(async () => {
  const { url, server } = await testDatabase({ signal: AbortSignal.timeout(280_000), after });
  await migrate(url, { writerPassword: server.password('ledger_writer') });
  sql = openDatabase(new Secret(url), { connectionsMax: 2, name: 'test' }, scope);
  await sql.unsafe(LOG, [ENTRIES - 1]);
  const ones = ENTRIES.toString(2).replaceAll('0', '').length;
  await sql`insert into ledger_batch (size_before, size_after, root, edge, writer_epoch)
    values (0, ${ENTRIES}, sha256(''), decode(repeat('00', ${32 * ones}), 'hex'), 1)`;
});

after(() => scope.disposeAsync());

const minute = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();
const time = (n: number) => minute(n).replace('Z', '000Z') as never;

/** What a look at every row gives. */
async function looked(filter: AuditFilter): Promise<number[]> {
  const { caseId, acquisitionId, actor, type, target } = filter;
  const rows = await sql`
    select e.idx, e.case_id, e.acq, e.actor, e.type, b.target, e.event_at, e.recorded_at
    from ledger_entry e join ledger_entry b on b.acq = e.acq and b.acq_seq = 1
    where e.tenant = 'default' order by e.idx`;
  const isIn = (at: Date, from?: string, to?: string) =>
    (from === undefined || at >= new Date(from)) && (to === undefined || at < new Date(to));
  return rows
    .filter(
      (row) =>
        [undefined, row['case_id']].includes(caseId) &&
        [undefined, row['acq']].includes(acquisitionId) &&
        [undefined, row['actor']].includes(actor) &&
        [undefined, row['type']].includes(type) &&
        [undefined, row['target']].includes(target) &&
        isIn(row['event_at'], filter.claimedFrom, filter.claimedTo) &&
        isIn(row['recorded_at'], filter.recordedFrom, filter.recordedTo),
    )
    .map((row) => Number(row['idx']));
}

async function paged(filter: AuditFilter, limit: number) {
  const log = postgresAudit(sql, BOUNDS);
  const seqs: number[] = [];
  let pages = 0;
  for (let from: number | undefined = -1; from !== undefined; pages++) {
    const page: Awaited<ReturnType<typeof log.audit>> = await log.audit({
      ...{ tenant, filter, after: from, limit },
    });
    assert.ok(page.next === undefined || page.next > from, 'every page goes on');
    seqs.push(...page.entries.map(({ seq }) => seq));
    from = page.next;
  }
  return { seqs, pages };
}

const ONE_EACH: readonly object[] = [
  {},
  ...[{ caseId: 'small' }, { caseId: 'large' }, { target: `${LONG}x` }, { target: `${LONG}y` }],
  ...[
    { acquisitionId: `00000000-0000-0000-0000-${'4'.padStart(12, '0')}` },
    { target: `${LONG}z` },
  ],
  ...[{ actor: 'ann' }, { actor: 'bob' }, { actor: '/impound/discovery/discovery-1' }],
  ...[{ type: 'audit.read.v1' }, { type: 'target.resolved.v1' }, { type: 'key.retired.v1' }],
];
const TIMES: readonly object[] = [
  {},
  ...[{ recordedFrom: time(100) }, { recordedTo: time(100) }, { recordedFrom: time(9_999) }],
  { recordedFrom: time(200), recordedTo: time(201) },
  ...[{ claimedFrom: time(300) }, { claimedTo: time(0) }, { claimedFrom: time(9_999) }],
  { claimedFrom: time(250), claimedTo: time(350) },
  { claimedFrom: time(250), claimedTo: time(350), recordedFrom: time(240), recordedTo: time(320) },
];

for (const one of ONE_EACH) {
  test(`pages of ${JSON.stringify(one)} are what a look at every row gives`, async () => {
    for (const times of TIMES) {
      const filter = { ...one, ...times } as AuditFilter;
      const whole = await looked(filter);
      for (const limit of [20, 1_000]) {
        assert.deepEqual((await paged(filter, limit)).seqs, whole, JSON.stringify(filter));
      }
    }
  });
}

test('two filters at once, whichever of them leads there', async () => {
  for (const [at, one] of ONE_EACH.entries()) {
    const filter = { ...ONE_EACH[(at + 4) % ONE_EACH.length], ...one } as AuditFilter;
    assert.deepEqual((await paged(filter, 5)).seqs, await looked(filter), JSON.stringify(filter));
  }
});

test('a page looks at no more than it may: what is nowhere is looked for in steps', async () => {
  const nowhere = { actor: '/impound/nobody' } as AuditFilter;
  assert.deepEqual(await paged(nowhere, 10), { seqs: [], pages: ENTRIES / BOUNDS.windowMax });
  const listed = { actor: 'ann', type: 'key.retired.v1' } as AuditFilter;
  const anns = (await looked({ actor: 'ann' } as AuditFilter)).length;
  const { seqs, pages } = await paged(listed, 10);
  assert.deepEqual([seqs, pages], [[], Math.ceil(anns / BOUNDS.apartMax)]);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONSTRAINTS, REFUSAL, TABLES, TRIGGERS, WORDS } from '@impound/ledger/domain/guards.ts';
import type { DatabaseFacts } from './database.ts';
import { databaseFindings } from './database-findings.ts';

const WELL: DatabaseFacts = {
  versionNumber: 180_004,
  encrypted: true,
  clock: { offsetMs: 0, withinMs: 1 },
  guards: {
    schemaVersion: 1,
    role: 'ledger_writer',
    isSuperuser: false,
    ownsLedger: false,
    rights: TABLES.flatMap((table) => [`${table} INSERT`, `${table} SELECT`]),
    triggers: TRIGGERS.map((name) => `${name} A`),
    constraints: Object.fromEntries(CONSTRAINTS.map((name) => [name, WORDS[name] ?? ''])),
    refusal: REFUSAL,
    settings: { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' },
  },
  overrides: [],
  checksums: true,
  archives: true,
  replicas: 1,
  inRecovery: false,
  roles: { others: [], superusers: ['postgres'], ownerLogsIn: false, anybodyCreates: false },
  shown: undefined,
  chains: { entries: 9, movedAt: '2026-11-28T04:00:00Z', open: 1, still: [] },
};

test('a database that is well gives nothing but ok', () => {
  const findings = databaseFindings(WELL, false);
  assert.deepEqual(
    findings.filter(({ verdict }) => verdict !== 'ok'),
    [],
  );
  assert.ok(findings.length >= 9);
});

const { guards, roles, chains } = WELL;
const STILL = [{ acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01', seconds: 7_200 }];
const SICK: readonly (readonly [string, Partial<DatabaseFacts>, string, string, RegExp])[] = [
  ['gets no repairs', { versionNumber: 140_001 }, 'postgres-version', 'sick', /14\.1/],
  [
    'has no ledger',
    { guards: { ...guards, schemaVersion: undefined } },
    'ledger-guards',
    'sick',
    /no ledger/,
  ],
  [
    'has another schema',
    { guards: { ...guards, schemaVersion: 99 } },
    'ledger-guards',
    'sick',
    /version 99/,
  ],
  [
    'lacks a trigger',
    { guards: { ...guards, triggers: guards.triggers.slice(1) } },
    'ledger-guards',
    'sick',
    /trigger ledger_entry_no_change is missing/,
  ],
  [
    'lets the ledger do more',
    { guards: { ...guards, rights: [...guards.rights, 'ledger_entry DELETE'] } },
    'ledger-guards',
    'sick',
    /ledger_writer holds ledger_entry DELETE/,
  ],
  [
    'does not wait for the disk',
    { guards: { ...guards, settings: { ...guards.settings, fsync: 'off' } } },
    'postgres-durability',
    'sick',
    /fsync off/,
  ],
  [
    'does not wait for the disk when the ledger writes',
    { overrides: ['synchronous_commit=off'] },
    'postgres-durability',
    'sick',
    /synchronous_commit off/,
  ],
  ['stands alone', { replicas: 0, archives: false }, 'postgres-copies', 'advice', /lost disk/],
  ['has no checksums', { checksums: false }, 'postgres-checksums', 'advice', /no checksums/],
  [
    'lets somebody else write',
    { roles: { ...roles, others: ['etl UPDATE ledger_entry'] } },
    'postgres-roles',
    'sick',
    /role etl may UPDATE ledger_entry/,
  ],
  [
    'lets the owner in',
    { roles: { ...roles, ownerLogsIn: true } },
    'postgres-roles',
    'sick',
    /ledger_owner can log in/,
  ],
  [
    'lets anybody create',
    { roles: { ...roles, anybodyCreates: true } },
    'postgres-roles',
    'sick',
    /every role may create/,
  ],
  [
    'has many superusers',
    { roles: { ...roles, superusers: ['postgres', 'joe'] } },
    'postgres-roles',
    'advice',
    /postgres, joe/,
  ],
  ['is reached in the clear', { encrypted: false }, 'postgres-encryption', 'advice', /clear/],
  ['has another time', { clock: { offsetMs: -40_000, withinMs: 5 } }, 'clock', 'sick', /behind/],
  [
    'holds an acquisition that stands still',
    { chains: { ...chains, still: STILL } },
    'open-chains',
    'advice',
    /0199f5a2.* 2\.0 hours/,
  ],
];
for (const [what, change, check, verdict, words] of SICK) {
  test(`a database that ${what} is told of under ${check}`, () => {
    const found = databaseFindings({ ...WELL, ...change }, false);
    const told = found.filter((one) => one.verdict !== 'ok');
    assert.equal(told.length, 1, JSON.stringify(told));
    assert.equal(told[0]?.check, check);
    assert.equal(told[0].verdict, verdict);
    assert.match(told[0].what, words);
    assert.ok(told[0].next);
  });
}

test('of a replica nothing is said but where to look', () => {
  const found = databaseFindings({ ...WELL, inRecovery: true }, false);
  assert.deepEqual(
    found.map(({ verdict }) => verdict),
    ['unknown'],
  );
});

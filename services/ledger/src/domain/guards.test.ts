// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CONSTRAINTS,
  type Guards,
  guardFaults,
  REFUSAL,
  TABLES,
  TRIGGERS,
  WORDS,
} from './guards.ts';

const GUARDED: Guards = {
  schemaVersion: 1,
  role: 'ledger_writer',
  isSuperuser: false,
  ownsLedger: false,
  rights: TABLES.flatMap((table) => [`${table} INSERT`, `${table} SELECT`]),
  triggers: TRIGGERS.map((name) => `${name} A`),
  constraints: Object.fromEntries(CONSTRAINTS.map((name) => [name, WORDS[name] ?? ''])),
  refusal: REFUSAL,
  settings: { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' },
};

test('a database with all its guards has no fault', () => {
  assert.deepEqual(guardFaults(GUARDED), []);
});

for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
  test(`a server with ${setting} off is not written to`, () => {
    const settings = { ...GUARDED.settings, [setting]: 'off' };
    assert.match(
      guardFaults({ ...GUARDED, settings }).join(),
      new RegExp(`^setting ${setting} is`),
    );
  });
}

for (const name of CONSTRAINTS) {
  test(`a ledger without ${name} is not written to`, () => {
    const { [name]: _gone, ...constraints } = GUARDED.constraints;
    assert.match(guardFaults({ ...GUARDED, constraints }).join(), new RegExp(`${name} is missing`));
  });
}

test('a role that acts for the owner is told which role to use instead', () => {
  assert.match(guardFaults({ ...GUARDED, ownsLedger: true }).join(), /connect as ledger_writer/);
});

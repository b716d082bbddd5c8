// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourcesOf } from './resources.ts';

const nameOf = (of: ReturnType<typeof resourcesOf>, scope: string) =>
  of.of(scope).attributes['service.name'];

test('a process of one service has the name of that service', () => {
  const resources = resourcesOf({ named: false }, '/impound/services/rbac-checker/src/main.ts');
  assert.equal(nameOf(resources, 'process'), 'impound-rbac-checker');
  assert.equal(nameOf(resources, 'impound.rbac-checker'), 'impound-rbac-checker');
});

test('services that share a process each have their own, and the process has the house its', () => {
  const resources = resourcesOf({ named: false }, '/anywhere/cli/src/main.ts');
  assert.equal(nameOf(resources, 'process'), 'impound');
  assert.equal(nameOf(resources, 'impound.ledger'), 'impound-ledger');
  assert.equal(resources.of('impound.ledger'), resources.of('impound.ledger'));
});

test('a name that the environment gives counts for all', () => {
  const resources = resourcesOf({ named: true }, '/impound/services/ledger/src/main.ts');
  assert.equal(resources.of('impound.ledger'), resources.own);
});

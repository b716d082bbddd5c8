// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endsAcquisition } from '@impound/contracts/chain.ts';
import { PARTIES } from '@impound/contracts/parties.ts';
import { consumerPlans } from '@impound/contracts/streams.ts';
import { contractOf, maySay } from './contracts.ts';

const said = new Set(Object.values(PARTIES).flatMap((party) => party.says));

test('the ledger knows every event that anybody says, and which of them end a chain', () => {
  for (const type of said) {
    assert.equal(contractOf(type)?.type, type);
    assert.equal(contractOf(type)?.ends === true, endsAcquisition(type), type);
  }
});

test('what only the ledger says is said by nobody at its door', () => {
  for (const type of PARTIES['ledger']?.says ?? []) {
    for (const service of Object.keys(PARTIES)) assert.ok(!maySay(service, type));
  }
  assert.ok(!maySay('constructor', 'target.missing.v1'));
});

test('each service has one consumer per event it hears, an executor for its own route only', () => {
  const plans = consumerPlans();
  const hearings = Object.values(PARTIES).flatMap((party) => party.hears);
  assert.equal(new Set(plans.map(({ durable }) => durable)).size, hearings.length);
  const assignments = plans.filter(({ type }) => type === 'acquisition.assigned.v1');
  assert.ok(assignments.length > 0);
  for (const { service, filter } of assignments) {
    const route = PARTIES[service]?.route;
    assert.equal(filter, `impound.v1.event.acquisition.assigned.${route}.>`);
  }
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { WorkerId } from '@impound/contracts/ids.ts';
import { claim } from './claim.ts';

const data = AcquisitionAssignedV1.shape.parse(AcquisitionAssignedV1.example);

test('the claim names the worker, the epoch and the exact collector before anything is sent', () => {
  const said = claim(
    { data } as Parameters<typeof claim>[0],
    WorkerId.parse('executor-kubernetes-1-aa'),
  );
  const fits = ExecutionStartedV1.shape.parse(said.data);
  assert.equal(fits.epoch, data.epoch);
  assert.equal(fits.worker, 'executor-kubernetes-1-aa');
  assert.match(fits.collector?.sha256 ?? '', /^[0-9a-f]{64}$/);
});

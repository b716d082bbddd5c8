// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { WorkerId } from '@impound/contracts/ids.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { memorySink } from '@impound/evidence/testing/memory-sink.ts';
import { Never } from '@impound/runtime/fault.ts';
import type { Assignment } from './collect.ts';
import type { Shell } from './shell.ts';
import { type Beside, collectBy, collectByFailed } from './ways.ts';

const ACQUISITION = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const NAME = `impound-${ACQUISITION}-e1`;
const worker = WorkerId.parse('k8s-1-aa');

function assigned(method: string): Assignment {
  const deadline = timeOf(Date.now() + 60_000);
  const example = { ...AcquisitionAssignedV1.example, method, deadline };
  const data = AcquisitionAssignedV1.shape.parse(example);
  return { acquisitionId: ACQUISITION, tenant: 'default', data } as Assignment;
}

/** A shell that cannot be had, and says by which way it was asked. */
function closed(code: string, notes?: readonly string[]): Shell {
  return {
    ...(notes === undefined ? {} : { notes }),
    run: () => Promise.reject(new Never(code, `no way in by ${code}`)),
  };
}

const { containerId } = AcquisitionAssignedV1.example;

/** Collects by a method, with both ways closed. */
async function tried(method: string, notes: readonly string[] = []) {
  const asked: Beside[] = [];
  const beside = (attempt: Beside) => {
    asked.push(attempt);
    return closed('beside', notes);
  };
  const presence = { look: async () => ({ state: 'running' as const, containerId }) };
  const store = { sink: () => memorySink() };
  const ways = { shell: closed('exec'), beside, presence, store };
  const work = { worker, progress: () => undefined };
  const signal = AbortSignal.timeout(280_000);
  return { said: await collectBy(assigned(method), ways, work, signal), asked };
}

test('a method by exec opens nothing beside the target', async () => {
  const { said, asked } = await tried('exec-stream');
  assert.equal('code' in said.data && said.data.code, 'exec');
  assert.deepEqual(asked, []);
});

test('an ephemeral container is named after acquisition and epoch, and has to end in time', async () => {
  const { said, asked } = await tried('ephemeral-container');
  assert.equal('code' in said.data && said.data.code, 'beside');
  assert.deepEqual(
    asked.map(({ name }) => name),
    [NAME],
  );
  const msMax = asked[0]?.msMax ?? 0;
  assert.ok(msMax > 0 && msMax <= 60_000, `${msMax} ms: not after the deadline`);
  assert.equal(said.data.footprint.touched, false);
});

test('what a way in changed is on record though it led nowhere', async () => {
  const notes = ['pod spec changed'];
  const { said } = await tried('ephemeral-container', notes);
  assert.equal(said.data.footprint.touched, true);
  assert.ok(said.data.footprint.notes.includes('pod spec changed'));
});

test('an execution that threw names what it may have left in the pod', () => {
  const fault = { code: 'event-too-large', because: 'the result was refused' };
  const said = collectByFailed(assigned('ephemeral-container'), fault, worker);
  assert.ok(said.data.footprint.notes.some((note) => note.includes(NAME)));
  const exec = collectByFailed(assigned('exec-stream'), fault, worker);
  assert.ok(exec.data.footprint.notes.every((note) => !note.includes(NAME)));
});

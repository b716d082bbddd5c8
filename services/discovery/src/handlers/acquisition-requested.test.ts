// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import type { PodFacts } from '../domain/pod.ts';
import { acquisitionRequested, missing, targetUnfound } from './acquisition-requested.ts';

const data = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
const message = { data, tenant: 'default', acquisitionId: 'a' } as unknown as Parameters<
  typeof acquisitionRequested
>[0];
const pod: PodFacts = {
  namespace: 'shop',
  name: 'cart-7f9c',
  uid: 'u-1',
  os: 'linux',
  containers: [{ name: 'cart', kind: 'container', image: 'cart:1', state: 'running', restarts: 0 }],
};
const { signal } = new AbortController();
const looks = { account: async () => 'system:serviceaccount:impound:reader' };

test('the container that is meant is found', async () => {
  const pods = { ...looks, fitting: async () => [pod] };
  const said = await acquisitionRequested(message, { pods }, signal);
  assert.equal(said.contract, TargetResolvedV1);
  const { target } = TargetResolvedV1.shape.parse(said.data);
  assert.deepEqual(target, data.target);
});

test('a pod that is not there is missing', async () => {
  const pods = { ...looks, fitting: async () => [] };
  const said = await acquisitionRequested(message, { pods }, signal);
  assert.equal(said.contract, TargetMissingV1);
  assert.equal(TargetMissingV1.shape.parse(said.data).code, 'pod-not-found');
});

test('a pod that the cluster withholds is missing, with which one it is and who may not see it', async () => {
  const refused = missing('forbidden', 'pods "cart-7f9c" is forbidden', undefined);
  const pods = { ...looks, fitting: () => Promise.reject(refused) };
  const { data: told } = await acquisitionRequested(message, { pods }, signal);
  const { withheld } = TargetMissingV1.shape.parse(told);
  assert.deepEqual(withheld, { target: data.target, account: await looks.account() });
  const away = missing('cluster-unknown', 'there is no such cluster', undefined);
  const others = { ...looks, fitting: () => Promise.reject(away) };
  await assert.rejects(acquisitionRequested(message, { pods: others }, signal), away);
});

test('a cluster that cannot be asked makes the target missing for that reason', () => {
  const fault = missing('forbidden', 'get pods is not granted', undefined);
  const said = targetUnfound(message, { code: fault.code, because: fault.message });
  assert.deepEqual(said.data, { code: 'forbidden', because: 'get pods is not granted' });
});

test('a fault that nobody has classified is an unreachable cluster, with its words', () => {
  const said = targetUnfound(message, { code: 'bug', because: 'it broke' });
  assert.deepEqual(said.data, { code: 'cluster-unreachable', because: 'it broke' });
});

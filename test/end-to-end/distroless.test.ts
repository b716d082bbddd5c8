// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { assertSealedOnce, chainOf } from './chain.ts';
import { ask, ended, stageFor } from './platform.ts';
import { assertLeft } from './processes.ts';

const image = (name: string) => `registry.example/distroless/${name}:1`;
const pod = (name: string) => ({
  name,
  containers: [{ name: 'main', image: image(name), flavor: 'distroless' as const }],
});
const STRICT = { 'pod-security.kubernetes.io/enforce': 'restricted' };
const stage = stageFor({
  lab: {
    namespaces: [
      { name: 'shop', pods: [pod('paid')] },
      { name: 'strict', labels: STRICT, pods: [pod('rooted')] },
    ],
  },
  environment: { EPHEMERAL_IMAGE: 'registry.example/busybox:1' },
});

test('a container without a shell is tried by exec, and then collected from beside it', async () => {
  const acquisitionId = await ask(stage.client, { place: 'shop/paid/main', profile: 'triage' });
  const shown = await ended(stage.client, acquisitionId);
  assert.equal(shown.status, 'sealed', JSON.stringify(shown));
  const chain = await chainOf(stage.client, acquisitionId);
  assertSealedOnce(chain, 2);
  const failed = ExecutionFailedV1.shape.parse(chain.data('execution.failed.v1'));
  assert.deepEqual([failed.code, failed.permanent], ['no-shell', true]);
  const captured = EvidenceCapturedV1.shape.parse(chain.data('evidence.captured.v1'));
  assert.equal(captured.method, 'ephemeral-container');
  const name = `impound-${acquisitionId}-e2`;
  assert.ok(captured.footprint.notes[0]?.includes(name), captured.footprint.notes.join());
  await assertLeft(stage.lab.pidOf('shop', 'paid', 'main'));
});

test('where no rung holds it fails, says why of each, and leaves the pod as it was', async () => {
  const acquisitionId = await ask(stage.client, { place: 'strict/rooted/main' });
  const shown = await ended(stage.client, acquisitionId);
  assert.equal(shown.status, 'failed', JSON.stringify(shown));
  const chain = await chainOf(stage.client, acquisitionId);
  const { ladder } = AccessCheckedV1.shape.parse(chain.data('access.checked.v1'));
  assert.deepEqual(
    ladder.map(({ method, verdict }) => [method, verdict]),
    [
      ['exec-stream', 'allowed'],
      ['ephemeral-container', 'allowed'],
    ],
  );
  const failed = ExecutionFailedV1.shape.parse(chain.data('execution.failed.v1'));
  assert.deepEqual([failed.code, failed.footprint.touched], ['pod-security-denied', false]);
  const because = String(chain.data('acquisition.failed.v1')['because']);
  assert.match(because, /exec-stream by kubernetes: .*ephemeral-container by kubernetes: /s);
});

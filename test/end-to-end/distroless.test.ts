// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { assertSealedOnce, chainOf } from './chain.ts';
import { ask, ended, stageFor } from './platform.ts';
import { pidsBeside } from './processes.ts';

const ABSENT = 'registry.example/absent:1';
const image = (name: string) => `registry.example/distroless/${name}:1`;
const pod = (name: string) => ({
  name,
  containers: [{ name: 'main', image: image(name), flavor: 'distroless' as const }],
});
const stage = stageFor({
  lab: { namespaces: [{ name: 'shop', pods: [pod('paid')] }], absentImages: [ABSENT] },
  environment: { EPHEMERAL_IMAGE: 'registry.example/busybox:1' },
});
const without = stageFor({
  lab: { namespaces: [{ name: 'shop', pods: [pod('plain')] }], absentImages: [ABSENT] },
  environment: { EPHEMERAL_IMAGE: ABSENT },
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
  assert.deepEqual(pidsBeside(stage.lab.pidOf('shop', 'paid', 'main')), []);
});

test('where no rung holds it fails, and the chain says what stays in the pod', async () => {
  const acquisitionId = await ask(without.client, { place: 'shop/plain/main' });
  const shown = await ended(without.client, acquisitionId);
  assert.equal(shown.status, 'failed', JSON.stringify(shown));
  const chain = await chainOf(without.client, acquisitionId);
  const { ladder } = AccessCheckedV1.shape.parse(chain.data('access.checked.v1'));
  assert.deepEqual(
    ladder.map(({ verdict }) => verdict),
    ['allowed', 'allowed'],
  );
  const failed = ExecutionFailedV1.shape.parse(chain.data('execution.failed.v1'));
  assert.equal(failed.code, 'ephemeral-start-failed');
  assert.match(failed.footprint.notes[0] ?? '', /stays in the spec/);
  assert.match(String(chain.data('acquisition.failed.v1')['because']), /ErrImagePull/);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { PodSpec } from '@impound/lab/options.ts';
import { assertSealedOnce, type Chain, chainOf, story } from './chain.ts';
import { ask, ended, stageFor, until } from './platform.ts';
import { assertLeft, killBeside, processesBeside } from './processes.ts';

/** Takes longer to read than any of these tests waits; zeros cost the store nothing. */
const SLOW_BYTES = 1_024 ** 3;
const MIDWAY_MS_MAX = 120_000;
const LOOK_MS = 50;
const NAMES = ['deleted', 'ended', 'collector', 'cancelled', 'overdue', 'cut', 'closed', 'twice'];

function pod(name: string): PodSpec {
  const container = { name: 'main', image: 'registry.example/shop:1', flavor: 'debian' as const };
  return { name, containers: [container] };
}

const stage = stageFor({ lab: { namespaces: [{ name: 'shop', pods: NAMES.map(pod) }] } });

/** Asks for a file without end and waits until it is being read in the container. */
async function midway(name: string, more: object = {}): Promise<string> {
  const slow = join(stage.lab.filesOf('shop', name, 'main'), 'tmp/slow.bin');
  writeFileSync(slow, '');
  truncateSync(slow, SLOW_BYTES);
  const paths = ['/etc/passwd', '/tmp/slow.bin'];
  const acquisitionId = await ask(stage.client, { place: `shop/${name}/main`, paths, ...more });
  const pid = stage.lab.pidOf('shop', name, 'main');
  const giveUpAt = Date.now() + MIDWAY_MS_MAX;
  while (!processesBeside(pid).includes('dd')) {
    assert.ok(Date.now() < giveUpAt, 'the collector does not read the file');
    await delay(LOOK_MS);
  }
  return acquisitionId;
}

async function assertNothingLeft(name: string): Promise<void> {
  await assertLeft(stage.lab.pidOf('shop', name, 'main'));
}

async function endOf(acquisitionId: string): Promise<{ status: string; chain: Chain }> {
  const { status } = await ended(stage.client, acquisitionId);
  return { status, chain: await chainOf(stage.client, acquisitionId) };
}

function assertPartial(chain: Chain, because: RegExp): void {
  const captured = chain.data('evidence.captured.v1');
  assert.equal(captured['partial'], true);
  assert.match(String(captured['because']), because);
  assert.equal(chain.data('acquisition.sealed.v1')['partial'], true);
}

describe('a collection that is interrupted', { concurrency: 3 }, () => {
  test('whose pod is deleted is sealed with what came until then', async () => {
    const acquisitionId = await midway('deleted');
    await stage.lab.deletePod('shop', 'deleted');
    const { status, chain } = await endOf(acquisitionId);
    assert.equal(status, 'sealed', story(chain));
    assertPartial(chain, /the container ended/);
  });

  test('whose container is killed is sealed with what came until then', async () => {
    const acquisitionId = await midway('ended');
    await stage.lab.killContainer('shop', 'ended', 'main');
    const { status, chain } = await endOf(acquisitionId);
    assert.equal(status, 'sealed', story(chain));
    assertPartial(chain, /the container ended/);
  });

  test('whose collector is killed is tried again, and what came is kept', async () => {
    const acquisitionId = await midway('collector', { methods: ['exec-stream'] });
    const pid = stage.lab.pidOf('shop', 'collector', 'main');
    killBeside(pid);
    const hasFailed = (one: { readonly failed?: object }) => one.failed !== undefined;
    const shown = await until(stage.client, acquisitionId, ({ executions }) =>
      (executions as readonly object[]).some(hasFailed),
    );
    const failed = (await chainOf(stage.client, acquisitionId)).data('execution.failed.v1');
    assert.match(String(failed['because']), /killed by signal 9|ended with 137/);
    assert.equal(failed['permanent'], false);
    assert.ok((failed['salvaged'] as readonly object[]).length >= 2, JSON.stringify(shown));
    await stage.client.post(`/v1/acquisitions/${acquisitionId}/cancel`, { reason: 'seen enough' });
    assert.equal((await endOf(acquisitionId)).status, 'cancelled');
    await assertNothingLeft('collector');
  });

  test('that is cancelled stops in the container too', async (t) => {
    const acquisitionId = await midway('cancelled');
    const askedAt = performance.now();
    await stage.client.post(`/v1/acquisitions/${acquisitionId}/cancel`, { reason: 'wrong pod' });
    const { status, chain } = await endOf(acquisitionId);
    t.diagnostic(`cancelled after ${Math.round(performance.now() - askedAt)} ms`);
    assert.equal(status, 'cancelled', story(chain));
    assert.equal(chain.data('execution.failed.v1')['code'], 'cancelled');
    assert.match(String(chain.data('acquisition.cancelled.v1')['because']), /wrong pod/);
    await assertNothingLeft('cancelled');
  });

  test('by its deadline hands in what came until then', async () => {
    const path = /\/pods\/overdue\/exec/;
    stage.lab.inject({ kind: 'stall', afterBytes: 20_000, path, times: 1 });
    // A tenth of it is kept for handing in: enough on a busy machine too.
    const wanted = { place: 'shop/overdue/main', deadlineSeconds: 45 };
    const acquisitionId = await ask(stage.client, wanted);
    const { status, chain } = await endOf(acquisitionId);
    assert.equal(status, 'sealed', story(chain));
    assertPartial(chain, /time for this attempt was over/);
    await assertNothingLeft('overdue');
  });

  for (const [name, kind] of [
    ['cut', 'cut'],
    ['closed', 'close-without-status'],
  ] as const) {
    test(`whose connection is ${name} is tried again and sealed whole`, async () => {
      const path = new RegExp(`/pods/${name}/exec`);
      stage.lab.inject({ kind, afterBytes: 20_000, path, times: 1 });
      const acquisitionId = await ask(stage.client, { place: `shop/${name}/main` });
      const { status, chain } = await endOf(acquisitionId);
      assert.equal(status, 'sealed', story(chain));
      assertSealedOnce(chain, 2);
      assert.equal(chain.data('evidence.captured.v1')['partial'], false);
      await assertNothingLeft(name);
    });
  }

  test('each time is given up after the second attempt, with what came', async () => {
    const path = /\/pods\/twice\/exec/;
    using _fault = stage.lab.inject({ kind: 'cut', afterBytes: 20_000, path });
    const acquisitionId = await ask(stage.client, {
      place: 'shop/twice/main',
      methods: ['exec-stream'],
    });
    const { status, chain } = await endOf(acquisitionId);
    assert.equal(status, 'failed', story(chain));
    const failed = chain.data('acquisition.failed.v1');
    assert.equal(failed['code'], 'ladder-exhausted');
    assert.ok((failed['salvaged'] as readonly object[]).length >= 2);
    await assertNothingLeft('twice');
  });
});

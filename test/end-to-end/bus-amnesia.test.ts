// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { PodSpec } from '@impound/lab/options.ts';
import { assertSealedOnce, chainOf } from './chain.ts';
import { ask, ended, stageFor } from './platform.ts';

const ACQUISITIONS = 50;
const AMNESIA_MS_MAX = 200_000;
const LOOK_MS = 100;
const NAMES = Array.from({ length: ACQUISITIONS }, (_, index) => `shop-${index}`);

function pod(name: string): PodSpec {
  const container = { name: 'main', image: 'registry.example/shop:1', flavor: 'debian' as const };
  return { name, containers: [container] };
}

const stage = stageFor({
  lab: { namespaces: [{ name: 'shop', pods: NAMES.map(pod) }] },
  losesBus: true,
});

interface Listed {
  readonly acquisitions: readonly { readonly status: string; readonly version: number }[];
}

/** Some are done, some are collecting, some wait for a free executor: how many at each length. */
async function untilSpread(): Promise<string> {
  for (;;) {
    const { acquisitions } = await stage.client.get<Listed>('/v1/acquisitions?limit=200');
    const lengths = Map.groupBy(acquisitions, ({ version }) => version);
    const done = acquisitions.filter(({ status }) => status === 'sealed').length;
    if (done >= 3 && lengths.size >= 3) {
      return JSON.stringify([...lengths].map(([length, all]) => [length, all.length]));
    }
    assert.ok(done < ACQUISITIONS / 2, 'they were too fast to be caught in different stages');
    await delay(LOOK_MS);
  }
}

test('a bus that dies and forgets everything costs no acquisition and no entry', {
  timeout: AMNESIA_MS_MAX,
}, async (t) => {
  const startedAt = performance.now();
  const ids = await Promise.all(
    NAMES.map((name) => ask(stage.client, { place: `shop/${name}/main`, deadlineSeconds: 180 })),
  );
  const spread = await untilSpread();
  t.diagnostic(`chains by length when the bus died: ${spread}`);
  const lostAt = performance.now();
  await stage.platform.loseBus();
  t.diagnostic(`the bus was away for ${Math.round(performance.now() - lostAt)} ms`);
  for (const id of ids) {
    const shown = await ended(stage.client, id);
    assert.equal(shown.status, 'sealed', JSON.stringify(shown['ended']));
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  t.diagnostic(`${ids.length} acquisitions sealed in ${seconds.toFixed(1)} s`);
  for (const id of ids) {
    const chain = await chainOf(stage.client, id);
    assertSealedOnce(chain);
  }
});

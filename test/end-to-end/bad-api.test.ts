// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FaultKind } from '@impound/lab/api/faults.ts';
import type { PodSpec } from '@impound/lab/options.ts';
import { assertSealedOnce, chainOf, story } from './chain.ts';
import { ask, ended, stageFor } from './platform.ts';
import { assertLeft } from './processes.ts';

interface Trouble {
  readonly pod: string;
  readonly what: string;
  readonly of: 'pod' | 'log' | 'exec';
  readonly fault: FaultKind;
  readonly times?: number;
  /** Attempts it takes to seal; 0: it cannot be sealed. */
  readonly epochs: number;
}

const PATHS = { pod: '(\\?|$)', log: '/log', exec: '/exec' } as const;
const busy = { kind: 'answer', status: 429, retryAfterSeconds: 1 } as const;
const broken = { kind: 'answer', status: 500 } as const;
const TROUBLES: readonly Trouble[] = [
  { pod: 'a', what: 'fails twice', of: 'pod', fault: broken, times: 2, epochs: 1 },
  { pod: 'b', what: 'is too busy twice', of: 'pod', fault: busy, times: 2, epochs: 1 },
  { pod: 'c', what: 'drops a request', of: 'pod', fault: { kind: 'reset' }, times: 1, epochs: 1 },
  { pod: 'd', what: 'never answers once', of: 'pod', fault: { kind: 'hang' }, times: 1, epochs: 1 },
  { pod: 'e', what: 'answers late', of: 'pod', fault: { kind: 'slow', delayMs: 1_500 }, epochs: 1 },
  { pod: 'f', what: 'has no log to give', of: 'log', fault: broken, epochs: 1 },
  { pod: 'g', what: 'fails to exec once', of: 'exec', fault: broken, times: 1, epochs: 2 },
  { pod: 'h', what: 'is too busy to exec once', of: 'exec', fault: busy, times: 1, epochs: 2 },
  { pod: 'i', what: 'drops exec once', of: 'exec', fault: { kind: 'reset' }, times: 1, epochs: 2 },
  { pod: 'j', what: 'leaves exec open', of: 'exec', fault: { kind: 'hang' }, times: 1, epochs: 2 },
  { pod: 'k', what: 'talks garbage', of: 'pod', fault: { kind: 'garbage' }, epochs: 0 },
  { pod: 'l', what: 'always fails', of: 'pod', fault: broken, epochs: 0 },
  { pod: 'm', what: 'always fails to exec', of: 'exec', fault: broken, epochs: 0 },
  { pod: 'n', what: 'talks garbage on exec', of: 'exec', fault: { kind: 'garbage' }, epochs: 0 },
];

function pod(name: string): PodSpec {
  const container = { name: 'main', image: 'registry.example/shop:1', flavor: 'debian' as const };
  return { name, containers: [container] };
}

const names = [...TROUBLES.map((one) => one.pod), 'unasked'];
const stage = stageFor({ lab: { namespaces: [{ name: 'shop', pods: names.map(pod) }] } });
const methods = ['exec-stream'];

describe('an API server', { concurrency: 6 }, () => {
  for (const { pod: name, what, of, fault, times, epochs } of TROUBLES) {
    const then = epochs === 0 ? 'ends the acquisition clearly' : 'costs no acquisition';
    test(`that ${what} ${then}`, async (t) => {
      const path = new RegExp(`/pods/${name}${PATHS[of]}`);
      using injected = stage.lab.inject({ ...fault, path, ...(times ? { times } : {}) });
      const startedAt = performance.now();
      const acquisitionId = await ask(stage.client, { place: `shop/${name}/main`, methods });
      const { status } = await ended(stage.client, acquisitionId);
      const chain = await chainOf(stage.client, acquisitionId);
      t.diagnostic(`${status} after ${Math.round(performance.now() - startedAt)} ms`);
      assert.ok(injected.hits > 0);
      assert.equal(status, epochs === 0 ? 'failed' : 'sealed', story(chain));
      if (epochs > 0) assertSealedOnce(chain, epochs);
      else t.diagnostic(String(chain.data('acquisition.failed.v1')['because']));
      await assertLeft(stage.lab.pidOf('shop', name, 'main'));
    });
  }
});

test('rights that nobody can ask for are unknown, so it is tried', async () => {
  using _fault = stage.lab.inject({ kind: 'answer', status: 500, path: /accessreviews/ });
  const acquisitionId = await ask(stage.client, { place: 'shop/unasked/main' });
  const { status } = await ended(stage.client, acquisitionId);
  const chain = await chainOf(stage.client, acquisitionId);
  assert.equal(status, 'sealed', story(chain));
  const { ladder } = chain.data('access.checked.v1') as { ladder: { verdict: string }[] };
  assert.ok(ladder.some(({ verdict }) => verdict === 'unknown'));
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { assertSealedOnce, chainOf } from './chain.ts';
import { ask, ended, stageFor, until } from './platform.ts';
import { assertLeft, processesBeside } from './processes.ts';

const MAIN = fileURLToPath(
  new URL('../../services/executor-kubernetes/src/main.ts', import.meta.url),
);
const TAKEN_OVER_MS_MAX = 280_000;
/** The collector has sent this much when its line goes silent. */
const STALLED_BYTES = 4_096;
const LOOK_MS = 50;

const shell = (name: string) => ({
  name,
  containers: [{ name: 'main', image: 'registry.example/shop:1', flavor: 'debian' as const }],
});
const stage = stageFor({
  lab: { namespaces: [{ name: 'shop', pods: [shell('killed'), shell('frozen')] }] },
  without: ['executor-kubernetes'],
});

const children: ChildProcess[] = [];
after(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** An executor in a process of its own, as in production; ready when it says so. */
async function startExecutor(): Promise<ChildProcess> {
  const { natsUrl, nkeyFile, statementKey, dataDir } = stage.platform;
  const child = spawn(process.execPath, [MAIN], {
    env: {
      NATS_URL: natsUrl,
      NATS_NKEY_FILE: nkeyFile('executor-kubernetes'),
      STATEMENT_KEY: statementKey('executor-kubernetes'),
      CLUSTERS_FILE: join(dataDir, 'clusters.json'),
    },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  children.push(child);
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.includes('service ready')) break;
  }
  child.stderr.resume();
  return child;
}

/** Asks for a collection that goes silent midway, and waits until an executor is in it. */
async function stalled(pod: string): Promise<string> {
  const path = new RegExp(`/pods/${pod}/exec`);
  const kind = 'stall';
  const fault = stage.lab.inject({ kind, afterBytes: STALLED_BYTES, path, times: 1 });
  const acquisitionId = await ask(stage.client, { place: `shop/${pod}/main` });
  await until(stage.client, acquisitionId, ({ status }) => status === 'executing');
  const pid = stage.lab.pidOf('shop', pod, 'main');
  // Ends with the test's own limit where nothing is ever run in the container.
  while (fault.hits === 0 || processesBeside(pid).length === 0) await delay(LOOK_MS);
  return acquisitionId;
}

test('an executor that dies or freezes is replaced, and a late one is fenced on the record', {
  timeout: TAKEN_OVER_MS_MAX,
}, async (t) => {
  const { client, lab } = stage;
  const dying = await startExecutor();
  const killed = await stalled('killed');
  dying.kill('SIGKILL');
  await once(dying, 'exit');
  const freezing = await startExecutor();
  const frozen = await stalled('frozen');
  freezing.kill('SIGSTOP');
  const stoppedAt = performance.now();
  await startExecutor();

  await t.test('the epoch of a killed executor lapses and another one seals', async () => {
    const shown = await ended(client, killed);
    assert.equal(shown.status, 'sealed', JSON.stringify(shown['ended']));
    const chain = await chainOf(client, killed);
    assertSealedOnce(chain, 2);
    const [first, second] = chain.entries.filter(({ event }) => event.type.includes('started'));
    assert.notEqual(first?.event.data['worker'], second?.event.data['worker']);
    assert.ok(chain.types.includes('execution.lapsed.v1'));
    await assertLeft(lab.pidOf('shop', 'killed', 'main'));
  });

  await t.test(
    'so does that of a frozen one, whose result is refused when it wakes',
    async (t2) => {
      const shown = await ended(client, frozen);
      assert.equal(shown.status, 'sealed', JSON.stringify(shown['ended']));
      const seconds = (performance.now() - stoppedAt) / 1_000;
      t2.diagnostic(`sealed by another executor ${seconds.toFixed(1)} s after the freeze`);
      freezing.kill('SIGCONT');
      await until(client, frozen, (now) => Number(now['version']) > Number(shown['version']));
      const chain = await chainOf(client, frozen);
      assertSealedOnce(chain, 2);
      const fenced = chain.data('execution.fenced.v1');
      assert.equal(fenced['refusedType'], 'execution.failed.v1');
      assert.match(String(fenced['refusedSource']), /executor-kubernetes/);
    },
  );
});

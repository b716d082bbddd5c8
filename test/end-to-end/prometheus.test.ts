// SPDX-License-Identifier: Apache-2.0
// Metrics and alarms with servers that nobody here wrote: under which names they arrive, shown to
// Prometheus and sent by OTLP, and that alarms go off by their causes and are silent otherwise.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { STREAM } from '@impound/contracts/streams.ts';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { jetstreamManager } from '@nats-io/jetstream';
import { CONTAINER, NAMESPACE, podNames } from '../../drill/fleet/cluster.ts';
import { SERVICES } from '../../drill/fleet/crew.ts';
import { midway } from '../../drill/fleet/midway.ts';
import { ALL_METRICS, prometheusNames } from '../metric-names.ts';
import {
  type Asked,
  type Prometheus,
  startPrometheus,
  startVictoria,
  type Victoria,
  withoutServers,
} from './prometheus.ts';
import { type SeenFleet, seen, startSeenFleet } from './telemetry.ts';

const START_MS_MAX = 280_000;
const TEST_MS_MAX = 280_000;
const MIB = 1_048_576;
const STORE_BYTES_MAX = 8 * MIB;
/** Enough for an order and too little for any entry. */
const NO_ENTRY_BYTES = 32;

/** Shows its metrics to the one and sends them to the other. */
function sending({ endpoint }: Victoria, port: number): Readonly<Record<string, string>> {
  return {
    OTEL_METRICS_EXPORTER: 'prometheus,otlp',
    OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
    OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  };
}

const skip = await withoutServers();

suite('metrics and alarms in Prometheus', skip === undefined ? {} : { skip }, () => {
  const over = new AbortController();
  let prometheus: Prometheus;
  let victoria: Victoria;
  let it: SeenFleet;
  before(
    async () => {
      const ports = Object.fromEntries(
        await Promise.all(SERVICES.map(async (name) => [`impound-${name}`, await freePort()])),
      );
      prometheus = await startPrometheus(ports, over.signal);
      victoria = await startVictoria(over.signal);
      const settings = Object.fromEntries(
        SERVICES.map((name) => [name, sending(victoria, ports[`impound-${name}`])]),
      );
      const uploader = { ...settings['uploader'], STORE_BYTES_MAX: String(STORE_BYTES_MAX) };
      const executor = { ...settings['executor-kubernetes'], STORE_WAIT_SECONDS: '2' };
      const own = { uploader, 'executor-kubernetes': executor };
      const options = { pods: podNames(5, 0), settings: { ...settings, ...own } };
      it = await startSeenFleet(options, over.signal);
    },
    { timeout: START_MS_MAX },
  );
  after(async () => {
    over.abort();
    await it?.[Symbol.asyncDispose]();
    await prometheus?.[Symbol.asyncDispose]();
    await victoria?.[Symbol.asyncDispose]();
  });
  const pod = (at: number) => it.fleet.pods[at] ?? '';
  const entries = (type: string) => `impound_ledger_entries_total{type="${type}"}`;
  const ended = async (acquisitionId: string) =>
    (await it.fleet.tap.ended(acquisitionId, over.signal)).event.type;
  const firing = (name: string) =>
    seen(name, async () => (await prometheus.alerts('firing')).includes(name));
  const limit = { timeout: TEST_MS_MAX };

  test('where all is well, figures come and no alarm goes off', limit, async () => {
    assert.equal(await ended(await it.fleet.order(pod(0))), 'acquisition.sealed.v1');
    await seen('the seal', async () => {
      return (await prometheus.value(entries('acquisition.sealed.v1'))) === 1;
    });
    for (const name of SERVICES) {
      const job = `process_uptime_seconds{job="impound-${name}",instance!=""}`;
      await seen(job, async () => ((await prometheus.value(job)) ?? 0) > 0);
    }
    assert.deepEqual(await prometheus.alerts('firing'), []);
  });

  test('an executor that is killed sets off the alarm of its lease', limit, async () => {
    const { id } = await midway(it.fleet, pod(1), over.signal);
    const executor = it.fleet.victim('executor-kubernetes');
    executor.neglect();
    await executor.kill();
    await firing('ImpoundLeaseLapsed');
    executor.mend();
    assert.equal(await ended(id), 'acquisition.sealed.v1');
  });

  test('a store that is full, and somebody who guesses tokens, set off theirs', limit, async () => {
    const large = join(it.fleet.lab.filesOf(NAMESPACE, pod(2), CONTAINER), 'tmp/large.bin');
    await writeFile(large, randomBytes(2 * STORE_BYTES_MAX));
    const wish = { profile: undefined, paths: ['/tmp/large.bin'] };
    assert.equal(await ended(await it.fleet.order(pod(2), wish)), 'acquisition.failed.v1');
    for (let count = 0; count < 25; count++) {
      const headers = { authorization: `Bearer guess-${count}` };
      const place = `${it.fleet.access.url}/v1/acquisitions`;
      assert.equal((await fetch(place, { headers })).status, 401);
    }
    await firing('ImpoundStoreFull');
    await firing('ImpoundCallersRefused');
  });

  test(
    'entries that are not told set off the alarm of the relay, until they are',
    limit,
    async () => {
      const manager = await jetstreamManager(it.fleet.watcher);
      const { config } = await manager.streams.info(STREAM.name);
      await manager.streams.update(STREAM.name, { ...config, max_msg_size: NO_ENTRY_BYTES });
      const id = await it.fleet.order(pod(3));
      await seen('a relay that is behind', async () =>
        (await prometheus.alerts('pending')).includes('ImpoundRelayBehind'),
      );
      await manager.streams.update(STREAM.name, config);
      await ended(id);
      await seen('a relay that is not', async () => {
        const all = [await prometheus.alerts('pending'), await prometheus.alerts('firing')].flat();
        return !all.includes('ImpoundRelayBehind');
      });
    },
  );

  test('a ledger that is away is waited for, and each wait is counted', limit, async () => {
    const ledger = it.fleet.victim('ledger');
    const { id, goOn } = await midway(it.fleet, pod(4), over.signal);
    ledger.neglect();
    await ledger.kill();
    goOn();
    const waits = 'impound_say_unanswered_total{job="impound-executor-kubernetes"}';
    await seen('a say without an answer', async () => ((await prometheus.value(waits)) ?? 0) > 0);
    ledger.mend();
    await ended(id);
  });

  test('every metric of docs/telemetry.md has come under its name', limit, async () => {
    const rare = [
      'impound_callback_given_up_total',
      'impound_evidence_differs_total',
      'impound_ledger_told_again_total',
      'impound_message_redelivered_total',
    ];
    const missing = async (by: Asked) => {
      const come = new Set([...(await by.names()), ...rare]);
      return ALL_METRICS.flatMap(prometheusNames).filter((name) => !come.has(name));
    };
    for (const [which, by] of Object.entries({ prometheus, victoria })) {
      await seen(`all at ${which}`, async () => (await missing(by)).length === 0).catch(
        async () => {
          assert.deepEqual(await missing(by), [], which);
        },
      );
    }
  });

  test('nothing else has gone off', async () => {
    // The last may follow from what was done here, where the machine is slow.
    const own = ['CallersRefused', 'LeaseLapsed', 'RelayBehind', 'StoreFull', 'MessagesAgain'];
    const all = await prometheus.alerts('firing');
    assert.deepEqual(
      all.filter((name) => !own.includes(name.replace('Impound', ''))),
      [],
    );
  });
});

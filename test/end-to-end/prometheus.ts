// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startChild } from '@impound/runtime/embedded/child.ts';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import * as z from 'zod';
import { seen } from './telemetry.ts';

const RULES = fileURLToPath(new URL('../../deploy/otel/alerts.yaml', import.meta.url));
const PROMETHEUS = 'prometheus';
const VICTORIA = 'victoria-metrics';
const STOP_MS_MAX = 10_000;

/** Why tests that need both servers cannot run here; undefined where they can. */
export async function withoutServers(): Promise<string | undefined> {
  for (const program of [PROMETHEUS, VICTORIA]) {
    const found = await promisify(execFile)(program, ['--version']).catch(() => undefined);
    if (found === undefined) return `there is no ${program}: tools/servers.sh fetches it`;
  }
  return undefined;
}

const Vector = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
});
const Names = z.object({ data: z.array(z.string()) });

/** A server that is asked by PromQL. */
export interface Asked {
  /** The value of an expression, added up; undefined where it gives nothing. */
  value(expr: string): Promise<number | undefined>;
  /** The names of all metrics that have come. */
  names(): Promise<readonly string[]>;
}

/** A Prometheus that looks after the alert rules of deploy/otel. */
export interface Prometheus extends Asked, AsyncDisposable {
  /** The names of alerts in a state. */
  alerts(state: 'firing' | 'pending'): Promise<readonly string[]>;
}

/** A VictoriaMetrics that takes metrics by OTLP. */
export interface Victoria extends Asked, AsyncDisposable {
  /** Where a process sends its metrics. */
  readonly endpoint: string;
}

/** Starts a Prometheus that asks these jobs each second, by the ports of their /metrics. */
export async function startPrometheus(
  ports: Readonly<Record<string, number>>,
  signal: AbortSignal,
): Promise<Prometheus> {
  const config = {
    global: { evaluation_interval: '1s', scrape_interval: '1s' },
    rule_files: [RULES],
    scrape_configs: Object.entries(ports).map(([job_name, port]) => ({
      job_name,
      static_configs: [{ targets: [`127.0.0.1:${port}`] }],
    })),
  };
  const args = (at: string, folder: string) => [
    `--config.file=${join(folder, 'config.yaml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${at}`,
  ];
  const server = await startServer(
    { program: PROMETHEUS, ready: '/-/ready', args, config },
    signal,
  );
  const asked = askedAt(server.at);
  return {
    ...asked,
    alerts: async (state) => {
      const found = await asked.vector(`ALERTS{alertstate="${state}"}`);
      return [...new Set(found.map(({ metric }) => metric['alertname'] ?? ''))].toSorted();
    },
    [Symbol.asyncDispose]: server.stop,
  };
}

/** Starts a VictoriaMetrics. */
export async function startVictoria(signal: AbortSignal): Promise<Victoria> {
  const args = (at: string, folder: string) => [
    `-storageDataPath=${join(folder, 'data')}`,
    `-httpListenAddr=${at}`,
    '-opentelemetry.usePrometheusNaming',
    '-search.latencyOffset=0s',
  ];
  const server = await startServer({ program: VICTORIA, ready: '/health', args }, signal);
  return {
    ...askedAt(server.at),
    endpoint: `http://${server.at}/opentelemetry/v1/metrics`,
    [Symbol.asyncDispose]: server.stop,
  };
}

interface Serving {
  readonly program: string;
  /** A path that answers well when it is ready. */
  readonly ready: string;
  readonly args: (at: string, folder: string) => readonly string[];
  readonly config?: object;
}

/** Starts a server on a free port; with `stop` it ends and leaves nothing. */
async function startServer({ program, ready, args, config = {} }: Serving, signal: AbortSignal) {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), `impound-${program}-`));
  opening.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await writeFile(join(folder, 'config.yaml'), JSON.stringify(config));
  const at = `127.0.0.1:${await freePort()}`;
  const command = { file: program, args: args(at, folder), cwd: folder };
  const child = await startChild({ ...command, deathSignal: 'KILL' }, signal);
  opening.defer(() => child.end('SIGTERM', STOP_MS_MAX));
  await seen(`${program} that is ready`, async () => {
    if (!child.running()) throw new Error(`${program} ended: ${child.log()}`);
    return await fetch(`http://${at}${ready}`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  const scope = opening.move();
  return { at, stop: () => scope.disposeAsync() };
}

function askedAt(at: string) {
  const ask = async (path: string) => await (await fetch(`http://${at}/api/v1/${path}`)).json();
  const vector = async (expr: string) =>
    Vector.parse(await ask(`query?query=${encodeURIComponent(expr)}`)).data.result;
  return {
    vector,
    value: async (expr: string) => {
      const found = await vector(expr);
      if (found.length === 0) return undefined;
      return found.reduce((sum, { value: [, text] }) => sum + Number(text), 0);
    },
    names: async () => Names.parse(await ask('label/__name__/values')).data,
  };
}

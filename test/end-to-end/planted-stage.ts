// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { podNames } from '../../drill/fleet/cluster.ts';
import { SERVICES } from '../../drill/fleet/crew.ts';
import type { Fleet } from '../../drill/fleet/fleet.ts';
import type { Places } from './leaks.ts';
import { integrationsFile, labWith, type Planted, plantKubeconfigs } from './planted.ts';
import { type SeenFleet, startSeenFleet } from './telemetry.ts';

const MEBIBYTE = 1_048_576;

/** A fleet with secrets in all it touches, whose every word is kept. */
export interface Stage extends SeenFleet {
  /** What went over the bus, by what kind of subject it was. */
  readonly bus: ReadonlyMap<string, readonly string[]>;
  /** The body of every answer of a door. */
  readonly answers: string[];
  /** Sends a request to the gateway as it is. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /** Every place where nothing secret may be. */
  places(): Promise<Map<string, readonly (string | Uint8Array)[]>>;
}

export const ANSWERS = 'answers on the bus';

/** Starts one; the store is small, so that it can be filled. */
export async function startStage(secrets: Planted, signal: AbortSignal): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'impound-planted-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const own: Readonly<Record<string, object>> = {
    gateway: { INTEGRATIONS_FILE: await integrationsFile(folder, secrets) },
    // A full store is given up soon.
    'executor-kubernetes': { STORE_WAIT_SECONDS: '2' },
    uploader: { SIGNING_KEY: secrets.signingKey, STORE_BYTES_MAX: String(24 * MEBIBYTE) },
  };
  const settings = Object.fromEntries(
    SERVICES.map((name) => [
      name,
      { LOG_LEVEL: 'debug', OTEL_METRIC_EXPORT_INTERVAL: '5000', ...own[name] },
    ]),
  );
  const options = { pods: podNames(5, 1), lab: labWith(secrets), settings };
  const { fleet, receiver } = opening.use(await startSeenFleet(options, signal));
  await plantKubeconfigs(fleet, secrets);
  const bus = await hearAll(fleet);
  const answers: string[] = [];
  const scope = opening.move();
  return {
    ...{ fleet, receiver, bus, answers },
    send: async (path, init) => {
      const response = await fetch(fleet.access.url + path, init);
      answers.push(await response.clone().text(), JSON.stringify([...response.headers]));
      return response;
    },
    places: async () => {
      const found = new Map<string, readonly (string | Uint8Array)[]>(bus);
      for (const [name, text] of await logsOf(fleet)) found.set(name, [text]);
      const rows = await fleet.sql`select entry from ledger_entry`;
      found.set(
        'the chains',
        rows.map((row) => row['entry'] as Buffer),
      );
      found.set('spans and metrics', receiver.bodies);
      found.set('answers of the doors', answers);
      return found.set('command lines', await commandLines());
    },
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

async function hearAll(fleet: Fleet) {
  const bus = new Map<string, string[]>();
  fleet.watcher.subscribe('>', {
    callback: (_error, message) => {
      const kind = message.subject.split('.').slice(0, 3).join('.');
      const place = kind.startsWith('_INBOX') ? ANSWERS : `bus ${kind}`;
      const headers = message.headers === undefined ? '' : String(message.headers);
      bus.set(place, [...(bus.get(place) ?? []), message.subject, headers, message.string()]);
    },
  });
  await fleet.watcher.flush();
  return bus;
}

async function logsOf({ directory }: Fleet): Promise<ReadonlyMap<string, string>> {
  const logs = join(directory, 'logs');
  const read = (await readdir(logs)).map(
    async (name) => [`log of ${name}`, await readFile(join(logs, name), 'utf8')] as const,
  );
  return new Map(await Promise.all(read));
}

async function commandLines(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''));
  return await Promise.all(lines);
}

/** The environment of each process of a fleet. */
export async function environmentsOf({ members }: Fleet): Promise<Places> {
  const alive = members.map(async ({ name, lives }) => {
    return [name, [await readFile(`/proc/${lives.at(-1)?.pid}/environ`, 'latin1')]] as const;
  });
  return new Map(await Promise.all(alive));
}

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Lab, startCluster } from '@impound/lab/cluster.ts';
import type { LabOptions } from '@impound/lab/options.ts';
import type { Environment } from '@impound/runtime/config.ts';
import { type Client, openClient, type Shown } from '../../cli/src/client.ts';
import { addCluster, type Platform, startPlatform } from '../../cli/src/platform.ts';

/** What a test file needs: one platform and one pretend cluster for all its tests. */
export interface StageOptions {
  readonly lab: LabOptions;
  /** Whose rights the platform has in the cluster; default `admin`. */
  readonly account?: string;
  /** More names of the cluster, each with the account whose rights the platform has by it. */
  readonly known?: Readonly<Record<string, string>>;
  readonly environment?: Environment;
  /** Who may come in, in place of the owner of the data directory. */
  readonly integrations?: readonly object[];
  readonly without?: readonly string[];
  /** True where a test takes the bus away. */
  readonly losesBus?: boolean;
}

/** A platform, a pretend cluster that it knows, and a client of its gateway. */
export interface Stage {
  readonly lab: Lab;
  readonly platform: Platform;
  readonly client: Client;
  /** A client with another token. */
  clientOf(token: string): Client;
}

/** One collection as a test asks for it. */
export interface Wanted {
  /** Namespace, pod and container, as in a target. */
  readonly place: string;
  readonly cluster?: string;
  readonly [field: string]: unknown;
}

export const CLUSTER = 'lab';
const START_MS_MAX = 90_000;
const ENDED_MS_MAX = 200_000;
const LOOK_MS = 150;

/** Starts a stage before the first test of a file and ends it after the last. */
export function stageFor(options: StageOptions): Stage {
  const scope = new AsyncDisposableStack();
  const over = new AbortController();
  let stage: Stage | undefined;
  before(
    async () => {
      stage = await openStage(options, scope, over.signal);
    },
    { timeout: START_MS_MAX },
  );
  after(async () => {
    over.abort();
    await scope.disposeAsync();
  });
  const opened = (): Stage => {
    if (stage === undefined) throw new Error('the stage opens before the first test');
    return stage;
  };
  return {
    get lab() {
      return opened().lab;
    },
    get platform() {
      return opened().platform;
    },
    get client() {
      return opened().client;
    },
    clientOf: (token) => opened().clientOf(token),
  };
}

async function openStage(
  options: StageOptions,
  scope: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'impound-end-to-end-'));
  scope.defer(() => rm(directory, { recursive: true, force: true }));
  const dataDir = join(directory, 'data');
  const log = join(dataDir, 'impound.log');
  scope.defer(() => assertNothingForbidden(log, options.losesBus === true));
  const lab = scope.use(await startCluster({ cluster: CLUSTER, ...options.lab }, signal));
  const { without } = options;
  const environment = { ...options.environment, ...(await admitted(options, directory)) };
  const natsBinary = process.env['NATS_SERVER'];
  const platform = scope.use(
    await startPlatform({ dataDir, natsBinary, environment, without }, signal),
  );
  const known = { [CLUSTER]: options.account ?? 'admin', ...options.known };
  for (const [name, account] of Object.entries(known)) {
    const kubeconfig = join(directory, `${name}.kubeconfig`);
    await writeFile(kubeconfig, lab.kubeconfig(account), { mode: 0o600 });
    await addCluster(dataDir, name, { kubeconfig });
  }
  const clientOf = (token: string) => openClient({ url: platform.url, token }, signal);
  return { lab, platform, client: clientOf(platform.token), clientOf };
}

async function admitted({ integrations }: StageOptions, directory: string): Promise<Environment> {
  if (integrations === undefined) return {};
  const file = join(directory, 'integrations.json');
  await writeFile(file, JSON.stringify({ version: 1, integrations }), { mode: 0o600 });
  return { INTEGRATIONS_FILE: file };
}

/** The body of an order. */
export function orderOf({ place, cluster = CLUSTER, ...more }: Wanted): object {
  return {
    target: `kubernetes://${cluster}/${place}`,
    caseId: 'E2E-1',
    reason: 'an end-to-end test',
    profile: 'volatile',
    deadlineSeconds: 120,
    ...more,
  };
}

/** Asks for one collection and gives its id. */
export async function ask(client: Client, wanted: Wanted, key?: string): Promise<string> {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  return (await client.post('/v1/acquisitions', orderOf(wanted), headers)).acquisitionId;
}

/** Looks at an acquisition until it is as expected; rejects when that takes too long. */
export async function until(
  client: Client,
  acquisitionId: string,
  so: (shown: Shown) => boolean,
): Promise<Shown> {
  const giveUpAt = Date.now() + ENDED_MS_MAX;
  for (;;) {
    const shown = await client.get<Shown>(`/v1/acquisitions/${acquisitionId}`);
    if (so(shown)) return shown;
    if (Date.now() > giveUpAt) {
      throw new Error(`${acquisitionId} hangs: ${shown.status}, ${JSON.stringify(shown)}`);
    }
    await delay(LOOK_MS);
  }
}

/** Follows an acquisition to its end and shows it. */
export async function ended(client: Client, acquisitionId: string): Promise<Shown> {
  return await until(client, acquisitionId, (shown) => shown['ended'] !== undefined);
}

/**
 * The rights on the bus are enough for all that a test file has done. A bus that was started anew
 * no longer knows whom it had let answer: such an answer it refuses.
 */
async function assertNothingForbidden(logFile: string, losesBus: boolean): Promise<void> {
  const lines = (await readFile(logFile, 'utf8')).split('\n');
  const forbidden = lines.filter((line) => line.includes('forbidden by the bus'));
  const late = (line: string) => losesBus && line.includes('"subject":"_INBOX_');
  assert.deepEqual(
    forbidden.filter((line) => !late(line)),
    [],
  );
}

// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BusKeys, busKeys, seedFile } from '../bus-keys.ts';
import type { Environment } from '../config.ts';
import {
  type NatsServer,
  type NatsServerOptions,
  startNatsServer,
} from '../embedded/nats-server.ts';

/** As much of a test as is needed to clean up after it. */
export interface TestScope {
  after(fn: () => Promise<void>): void;
  readonly signal: AbortSignal;
}

/** A bus that belongs to one test. */
export interface TestBus extends NatsServer {
  readonly storeDir: string;
  /** Starts the server again on the same port, with the same store unless the test removed it. */
  restart(): Promise<NatsServer>;
}

/** An empty folder that goes with its test. */
export async function testFolder(t: TestScope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'impound-keys-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A configuration that knows only these identities, with all rights but what `limits` takes. */
export function nkeyUsers(keys: BusKeys, identities: readonly string[], limits = ''): string {
  const users = identities.map(
    (identity) => `{ nkey: ${keys.get(identity)?.[0]}, permissions: { ${limits} } }`,
  );
  return `authorization { users: [ ${users.join(', ')} ] }`;
}

/** A bus that lets everybody do everything but the one identity whose rights have `limits`. */
export async function oneLimited(
  t: TestScope,
  limits: string,
): Promise<{ readonly config: string; readonly environment: Environment }> {
  const folder = await testFolder(t);
  const [key] = (await busKeys(folder)).get('gateway') ?? [];
  const limited = `{ nkey: ${key}, permissions: { ${limits} } }`;
  const users = `{ user: all, password: p }, ${limited}`;
  const config = `no_auth_user: all, authorization { users: [ ${users} ] }`;
  return { config, environment: { NATS_NKEY_FILE: seedFile(folder, 'gateway') } };
}

/** A real nats-server with JetStream and an empty store; it ends and its files go with the test. */
export async function testBus(
  t: TestScope,
  options: Pick<NatsServerOptions, 'config' | 'port' | 'binary'> = {},
): Promise<TestBus> {
  const storeDir = await mkdtemp(join(tmpdir(), 'impound-bus-'));
  const binary = options.binary ?? process.env['NATS_SERVER'];
  const start = (port = options.port) =>
    startNatsServer({ ...options, storeDir, port, binary }, t.signal);
  const started: NatsServer[] = [];
  t.after(async () => {
    for (const server of started) await server.kill();
    await rm(storeDir, { recursive: true, force: true });
  });
  const first = await start();
  started.push(first);
  const restart = async () => {
    const next = await start(first.port);
    started.push(next);
    return next;
  };
  return { ...first, storeDir, restart };
}

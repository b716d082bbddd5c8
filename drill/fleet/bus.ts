// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { busKeys, seedFile } from '@impound/runtime/bus-keys.ts';
import { type NatsServer, startNatsServer } from '@impound/runtime/embedded/nats-server.ts';
import { natsConfig, permissionsConfig, usersConfig } from '@impound/runtime/nats-config.ts';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type Server, startServer } from './server.ts';

/** The bus of a fleet, with the identities and rights of a deployment. */
export interface Bus {
  readonly server: Server<NatsServer>;
  /** The file by which a service proves who it is. */
  nkeyFile(service: string): string;
  /** Connects one who may see and do everything, which nobody can in a deployment. */
  watcher(): Promise<NatsConnection>;
}

/** Starts nats-server; a killed one comes back at the same port with the store it had. */
export async function startBus(
  directory: string,
  restartMs: number,
  signal: AbortSignal,
): Promise<Bus> {
  const keys = join(directory, 'bus-keys');
  const secret = randomBytes(32).toString('base64url');
  const watcher = `{ user: ${WATCHER}, password: "${secret}" }`;
  const known = usersConfig(await busKeys(keys)).replace('SERVICES: [', `SERVICES: [ ${watcher}`);
  const users = `${permissionsConfig()}\n${known}`;
  const config = natsConfig({ head: '', users, integrations: '' });
  const options = { storeDir: join(directory, 'nats'), binary: process.env['NATS_SERVER'], config };
  const start = (before?: NatsServer) =>
    startNatsServer({ ...options, port: before?.port }, signal);
  const server = await startServer('nats-server', start, restartMs);
  return {
    server,
    nkeyFile: (service) => seedFile(keys, service),
    watcher: () =>
      connect({
        ...{ servers: server.now().url, user: WATCHER, pass: secret },
        ...{ maxReconnectAttempts: -1, reconnectTimeWait: RECONNECT_MS },
      }),
  };
}

const WATCHER = 'drill';
const RECONNECT_MS = 20;

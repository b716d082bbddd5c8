// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Lab } from '@impound/lab/cluster.ts';
import type { Environment } from '@impound/runtime/config.ts';
import { accountOf, clustersFile, EPHEMERAL_IMAGE, LOOKER } from './cluster.ts';
import { type Member, startMember } from './member.ts';

/** The services of a fleet, in the order in which they are started. */
export const SERVICES = [
  'ledger',
  'coordinator',
  'discovery',
  'rbac-checker',
  'uploader',
  'executor-kubernetes',
  'gateway',
] as const;
export type ServiceName = (typeof SERVICES)[number];

/** What every service of a fleet stands on. */
export interface Ground {
  readonly directory: string;
  readonly logDir: string;
  readonly storeDir: string;
  readonly lab: Lab;
  readonly natsUrl: string;
  nkeyFile(service: string): string;
  readonly databaseUrl: string;
  readonly gatewayUrl: string;
  readonly gatewayPort: number;
  readonly uploaderPort: number;
  readonly token: string;
  readonly askerToken: string;
  readonly signingKey: string;
}

/** What the members of one service are made of. */
interface CrewOptions {
  readonly service: ServiceName;
  readonly names: readonly string[];
  readonly restartMs: number;
  readonly ground: Ground;
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/** Starts the processes of one service. */
export async function crewOf(options: CrewOptions): Promise<readonly Member[]> {
  const { service, names, restartMs, ground, settings } = options;
  const url = new URL(`../../services/${service}/src/main.ts`, import.meta.url);
  const crew: Member[] = [];
  for (const [at, name] of names.entries()) {
    const own = await OWN[service](ground, name, at);
    const { PATH } = process.env;
    const house = { PATH, NATS_URL: ground.natsUrl, NATS_NKEY_FILE: ground.nkeyFile(service) };
    const environment: Environment = { ...house, ...own, ...settings };
    const logFile = join(ground.logDir, `${name}.log`);
    const file = fileURLToPath(url);
    crew.push(startMember({ name, service, file, environment, restartMs, logFile }));
  }
  return crew;
}

/** What one service needs of its own; `at` counts its processes from 0. */
type Own = (ground: Ground, name: string, at: number) => Promise<Environment>;

const looking: Own = async ({ directory, lab }) => ({
  CLUSTERS_FILE: await clustersFile(directory, lab, LOOKER),
  EPHEMERAL_IMAGE,
});

const OWN: Readonly<Record<ServiceName, Own>> = {
  ledger: async ({ databaseUrl }) => ({ DATABASE_URL: databaseUrl }),
  coordinator: async () => ({}),
  discovery: looking,
  'rbac-checker': looking,
  // The port stays the same across restarts, as behind a service address: URLs name it.
  uploader: async ({ storeDir, uploaderPort, signingKey }) => ({
    STORE_URL: pathToFileURL(storeDir).href,
    UPLOADER_PORT: String(uploaderPort),
    SIGNING_KEY: signingKey,
  }),
  'executor-kubernetes': async ({ directory, lab }, name) => ({
    CLUSTERS_FILE: await clustersFile(directory, lab, accountOf(name)),
    EPHEMERAL_IMAGE,
  }),
  gateway: async ({ gatewayPort, token, askerToken }, _name, at) => ({
    GATEWAY_PORT: String(at === 0 ? gatewayPort : 0),
    TOKENS: JSON.stringify([
      callerOf('drill', { token, mayApprove: true, approval: 'never' }),
      callerOf('asker', { token: askerToken, mayApprove: false, approval: 'always' }),
    ]),
  }),
};

function callerOf(id: string, more: object): object {
  return { actor: { id, kind: 'person' }, tenant: 'default', ...more };
}

// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SIGNING_SERVICES } from '@impound/contracts/signing-services.ts';
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
  readonly spoolDir: string;
  readonly lab: Lab;
  /** Where a member finds the bus. */
  natsUrl(member: string): string;
  nkeyFile(service: string): string;
  readonly databaseUrl: string;
  readonly logKeys: string;
  /** The keys by which services sign what they capture and store, and the list of them. */
  readonly statementsDir: string;
  readonly gatewayUrl: string;
  readonly gatewayPort: number;
  readonly uploaderPort: number;
  readonly token: string;
  readonly askerToken: string;
  readonly signingKey: string;
  /** How many acquisitions one integration may have open. */
  readonly openMax: number;
}

/** What the members of one service are made of. */
interface CrewOptions {
  readonly service: ServiceName;
  readonly names: readonly string[];
  readonly restartMs: number;
  readonly ground: Ground;
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** A program that stands in for the service; its own main.ts if left out. */
  readonly program?: URL | undefined;
}

/** Starts the processes of one service. */
export async function crewOf(options: CrewOptions): Promise<readonly Member[]> {
  const { service, names, restartMs, ground, settings } = options;
  const main = new URL(`../../services/${service}/src/main.ts`, import.meta.url);
  const crew: Member[] = [];
  for (const [at, name] of names.entries()) {
    const own = await OWN[service](ground, name, at);
    const { PATH } = process.env;
    const house = {
      PATH,
      NATS_URL: ground.natsUrl(name),
      NATS_NKEY_FILE: ground.nkeyFile(service),
      ...signingKey(service, ground),
    };
    const environment: Environment = { ...house, ...own, ...settings };
    const logFile = join(ground.logDir, `${name}.log`);
    const file = fileURLToPath(options.program ?? main);
    crew.push(startMember({ name, service, file, environment, restartMs, logFile }));
  }
  return crew;
}

function signingKey(service: string, { statementsDir }: Ground): Environment {
  if (!SIGNING_SERVICES.includes(service)) return {};
  return { STATEMENT_KEY_FILE: join(statementsDir, `${service}.pem`) };
}

/** What one service needs of its own; `at` counts its processes from 0. */
type Own = (ground: Ground, name: string, at: number) => Promise<Environment>;

const looking: Own = async ({ directory, lab }) => ({
  CLUSTERS_FILE: await clustersFile(directory, lab, LOOKER),
  EPHEMERAL_IMAGE,
});

const OWN: Readonly<Record<ServiceName, Own>> = {
  ledger: async ({ databaseUrl, logKeys, statementsDir }) => ({
    DATABASE_URL: databaseUrl,
    LOG_KEYS: logKeys,
    SIGNERS_FILE: join(statementsDir, 'signers.json'),
  }),
  coordinator: async () => ({}),
  discovery: looking,
  'rbac-checker': looking,
  // The port stays the same across restarts, as behind a service address: URLs name it.
  uploader: async ({ storeDir, uploaderPort, signingKey }) => ({
    STORE_URL: pathToFileURL(storeDir).href,
    UPLOADER_PORT: String(uploaderPort),
    SIGNING_KEY: signingKey,
  }),
  'executor-kubernetes': async ({ directory, lab, spoolDir }, name) => ({
    // As on a machine of its own: nobody else finds there what it has kept.
    SPOOL_DIR: join(spoolDir, name),
    CLUSTERS_FILE: await clustersFile(directory, lab, accountOf(name)),
    EPHEMERAL_IMAGE,
  }),
  gateway: async (ground, _name, at) => ({
    GATEWAY_PORT: String(at === 0 ? ground.gatewayPort : 0),
    INTEGRATIONS_FILE: await integrationsFile(ground),
  }),
};

async function integrationsFile(ground: Ground): Promise<string> {
  const { directory, token, askerToken, openMax } = ground;
  const file = join(directory, 'integrations.json');
  const limits = { openMax, requestsPerSecond: MANY, ordersPerHour: 100 * MANY };
  const all = { mayApprove: true, mayReadEvidence: true, approval: 'never' };
  const integrations = [
    callerOf('drill', token, { limits, ...all }),
    callerOf('asker', askerToken, { limits, approval: 'always' }),
  ];
  await writeFile(file, JSON.stringify({ version: 1, integrations }), { mode: 0o600 });
  return file;
}

/** More than any drill wants. */
export const MANY = 10_000;

/** One who is held back by nothing but what a drill is about. */
function callerOf(id: string, token: string, more: object): object {
  const sha256 = createHash('sha256').update(token).digest('hex');
  return {
    ...{ id, kind: 'person', tenant: 'default', clusters: ['*'], namespaces: ['*'] },
    credentials: [{ id: 'drill', kind: 'token', sha256 }],
    budget: { bytesMax: 2 ** 40, secondsMax: 86_400 },
    ...{ repeatSeconds: 0, stormSeconds: 0 },
    ...more,
  };
}

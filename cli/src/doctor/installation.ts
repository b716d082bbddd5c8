// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { config as ledgerConfig } from '@impound/ledger/config.ts';
import { ConfigFault, type Environment, readConfig, withFiles } from '@impound/runtime/config.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import { type Secret, SecretText } from '@impound/runtime/secret.ts';
import { type StoreOptions, storeOptions } from '@impound/uploader/adapters/open-store.ts';
import { storeConfig } from '@impound/uploader/config.ts';
import * as z from 'zod';
import { dataDirOf, findAccess, runningBackends, type Surroundings } from '../access.ts';
import type { Access } from '../client.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { integrationsFile } from '../integrations.ts';
import { heldSigners } from '../signers.ts';
import type { ClusterList } from './clusters.ts';
import type { OutsideSettings } from './outside.ts';
import type { SignerSettings } from './signers.ts';

/** What doctor looks at; what is undefined is not named, and not looked at. */
export interface Installation {
  /** In words, e.g. the data directory. */
  readonly name: string;
  readonly bus: { readonly url: string; readonly nkeyFile?: string | undefined } | undefined;
  readonly database: Secret | undefined;
  /** Who remembers the log outside of it. */
  readonly outside: OutsideSettings;
  /** Who signs what they capture and store. */
  readonly signers: SignerSettings;
  readonly gateway: Access | undefined;
  readonly clusters: readonly ClusterList[];
  readonly store: StoreOptions | undefined;
  /** A directory that belongs to impound as a whole. */
  readonly directory: string | undefined;
  readonly secretFiles: readonly string[];
  /** Certificates that are shown or trusted. */
  readonly certificates: readonly string[];
  /** Who may come in. */
  readonly integrations: string | undefined;
  /** The folder of nats-server's configuration. */
  readonly busConfig: string | undefined;
  /** Whether the operator says that bus and database have a network of their own. */
  readonly privateNetwork: boolean;
}

/** The environment of the services, as far as doctor understands it; any KEY as KEY_FILE, too. */
const Settings = z.object({
  NATS_URL: z.string().optional(),
  /** The seed of the identity operator. */
  NATS_NKEY_FILE: z.string().optional(),
  /** The folder of nats-server's configuration. */
  NATS_CONFIG_DIR: z.string().optional(),
  /** Best as ledger_reader. */
  DATABASE_URL: SecretText.optional(),
  /** With the executor's kubeconfigs. */
  CLUSTERS_FILE: z.string().optional(),
  /** With the kubeconfigs that may only read. */
  DISCOVERY_CLUSTERS_FILE: z.string().optional(),
  INTEGRATIONS_FILE: z.string().optional(),
  /** As the ledger reads them: witnesses, the mirror, the authority of time. */
  POLICY: ledgerConfig.shape.POLICY,
  MIRROR_URL: z.string().optional(),
  TSA_URL: z.string().optional(),
  /** As the ledger reads them: who signs what they capture and store. */
  SIGNERS: ledgerConfig.shape.SIGNERS,
  GATEWAY_URL: z.url({ protocol: /^https?$/ }).optional(),
  GATEWAY_TOKEN: SecretText.optional(),
  /** true: bus and database are reached in networks that nobody else is in. */
  PRIVATE_NETWORK: z.enum(['true', 'false']).default('false'),
});
type Settings = z.output<typeof Settings>;

/** What services keep in files, by the names of their environment. */
const OURS =
  /^(NATS|DATABASE|GATEWAY|CLUSTERS|DISCOVERY_CLUSTERS|INTEGRATIONS|STORE|SIGNING|STATEMENT)_/;
const CERTIFICATES = ['GATEWAY_TLS_CERT_FILE', 'GATEWAY_TLS_CLIENT_CA_FILE'];
const NOT_SECRET = [...CERTIFICATES, 'GATEWAY_TLS_CRL_FILE'];

/**
 * What the files of --env describe; `-` is the environment of this process. Throws Exit(usage),
 * which repeats no value.
 */
export async function deployedInstallation(
  paths: readonly string[],
  own: Environment,
): Promise<Installation> {
  const all = await Promise.all(paths.map((path) => (path === '-' ? own : readEnv(path))));
  const given: Environment = Object.assign({}, ...all);
  const env = await settingsOf(Settings, given);
  const store = given['STORE_URL'] ? await settingsOf(storeConfig, given) : undefined;
  const clusters = clustersOf(env);
  const named = Object.entries(given).flatMap(([key, path]) =>
    key.endsWith('_FILE') && OURS.test(key) && !NOT_SECRET.includes(key) && path ? [path] : [],
  );
  return {
    name: paths.includes('-') ? 'what the environment describes' : paths.join(', '),
    bus: env.NATS_URL ? { url: env.NATS_URL, nkeyFile: env.NATS_NKEY_FILE } : undefined,
    database: env.DATABASE_URL,
    outside: { policy: env.POLICY, mirror: env.MIRROR_URL, authority: env.TSA_URL },
    signers: { listed: env.SIGNERS, held: undefined },
    gateway: gatewayOf(env),
    clusters,
    store: store === undefined ? undefined : storeOptions(store),
    directory: undefined,
    secretFiles: await withKubeconfigs(named, clusters),
    certificates: [...CERTIFICATES, 'TSA_CERTIFICATES_FILE'].flatMap((key) => given[key] || []),
    integrations: env.INTEGRATIONS_FILE,
    busConfig: env.NATS_CONFIG_DIR,
    privateNetwork: env.PRIVATE_NETWORK === 'true',
  };
}

function gatewayOf({ GATEWAY_URL: url, GATEWAY_TOKEN: token }: Settings): Access | undefined {
  return url === undefined || token === undefined ? undefined : { url, token: token.reveal() };
}

function clustersOf(env: Settings): readonly ClusterList[] {
  const { CLUSTERS_FILE: executor, DISCOVERY_CLUSTERS_FILE: discovery } = env;
  return [
    ...(executor === undefined ? [] : [{ path: executor, purpose: 'executor' as const }]),
    ...(discovery === undefined ? [] : [{ path: discovery, purpose: 'discovery' as const }]),
  ];
}

async function readEnv(path: string): Promise<Environment> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Exit(EXIT.usage, `--env ${path} cannot be read: ${cause.code}`, { cause });
  });
  return parseEnv(text);
}

async function settingsOf<Schema extends z.ZodObject>(schema: Schema, given: Environment) {
  try {
    return readConfig(schema, await withFiles(schema, given));
  } catch (error) {
    if (error instanceof ConfigFault) throw new Exit(EXIT.usage, messageOf(error));
    throw error;
  }
}

const LOCAL_SECRETS = [
  'keys.json',
  'platform.json',
  'clusters.json',
  'integrations.json',
  'bus-keys',
  'postgres/secret',
  'log-keys.json',
  'statements',
];

/** What `impound up` keeps in its data directory, and what runs there now. */
export async function localInstallation(here: Surroundings): Promise<Installation> {
  const directory = dataDirOf(here);
  const backends = await runningBackends(directory);
  const access = await findAccess(here);
  const clusters = [{ path: join(directory, 'clusters.json'), purpose: 'executor' as const }];
  const named = await Promise.all(LOCAL_SECRETS.map((name) => existing(join(directory, name))));
  const evidence = await existing(join(directory, 'evidence'));
  return {
    name: directory,
    bus: backends && { url: backends.natsUrl, nkeyFile: backends.nkeyFile },
    database: backends?.database,
    outside: {},
    signers: await heldSigners(join(directory, 'statements')),
    gateway: access?.role === 'up' ? access : undefined,
    clusters,
    store:
      evidence[0] === undefined
        ? undefined
        : {
            place: { kind: 'file', directory: evidence[0] },
            key: undefined,
            lock: undefined,
            bytesMax: undefined,
          },
    directory,
    secretFiles: await withKubeconfigs(named.flat(), clusters),
    certificates: [],
    integrations: (await existing(integrationsFile(directory)))[0],
    // Made anew at each start.
    busConfig: undefined,
    privateNetwork: false,
  };
}

/** One path, or none where nothing is there. */
async function existing(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error.code);
  return found === 'ENOENT' ? [] : [path];
}

const KUBECONFIGS_MAX = 200;
const Listed = z.record(z.string(), z.looseObject({ kubeconfig: z.string() }));

/** A list that cannot be read is told of where the clusters are looked at. */
async function withKubeconfigs(
  paths: readonly string[],
  lists: readonly ClusterList[],
): Promise<readonly string[]> {
  const found = await Promise.all(
    lists.map(async ({ path }) => {
      const text = await readFile(path, 'utf8').catch(() => '{}');
      const listed = Listed.safeParse(jsonOf(text));
      const entries = listed.success ? Object.values(listed.data) : [];
      return entries.map(({ kubeconfig }) => resolve(dirname(path), kubeconfig));
    }),
  );
  return [...new Set([...paths, ...found.flat().slice(0, KUBECONFIGS_MAX)])];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

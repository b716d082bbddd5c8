// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BusKeys, busKeys, seedFile } from '@impound/runtime/bus-keys.ts';
import { natsConfig, permissionsConfig, usersConfig } from '@impound/runtime/nats-config.ts';
import { EXIT, Exit } from './exit-code.ts';

/** The account that the containers run as, and that alone can read the secrets. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Where root runs the set-up: an account that exists nowhere else. */
const CONTAINER: Account = { uid: 10_001, gid: 10_001 };
const SECRET_BYTES = 32;

/** Root makes everything for an account without rights; everybody else for themselves. */
export function containerAccount(): Account {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return uid === 0 ? CONTAINER : { uid, gid };
}

/**
 * Makes what docker-compose.yml needs of secrets and settings in a directory. What is there stays:
 * a secret is rotated by removing its file and calling this again. Gives the names of what was
 * made.
 */
export async function makeDeployment(directory: string): Promise<readonly string[]> {
  const account = containerAccount();
  const at = (...path: string[]) => join(directory, ...path);
  const made: string[] = [];
  const once = async (name: string, make: () => string, owner?: Account) => {
    const there = await readIfThere(at(name));
    if (there !== undefined) return there;
    made.push(name);
    return await place(at(name), make(), owner ?? account);
  };
  await makeFolder(directory);
  for (const folder of [
    'secrets',
    'secrets/bus',
    'nats',
    'clusters',
    'clusters/executor',
    'clusters/discovery',
  ]) {
    await makeFolder(at(folder), account);
  }
  const secret = async (name: string) => await once(join('secrets', name), newSecret);
  const admin = await secret('postgres-password');
  const writer = await secret('writer-password');
  const reader = await secret('reader-password');
  await secret('signing-key');
  const token = await once('token', newSecret, ourselves());
  const keys = await busKeys(at('secrets', 'bus'));
  for (const identity of keys.keys()) await own(seedFile(at('secrets', 'bus'), identity), account);
  const derived = {
    'secrets/admin-database-url': databaseUrl('postgres', admin),
    'secrets/ledger-database-url': databaseUrl('ledger_writer', writer),
    'secrets/doctor-database-url': databaseUrl('ledger_reader', reader),
    'secrets/tokens.json': tokensOf(token),
    'nats/server.conf': busConfig(keys),
    'compose.env': settingsOf(directory, account),
  };
  for (const [name, text] of Object.entries(derived)) {
    if ((await readIfThere(at(name))) === text) continue;
    made.push(name);
    await place(at(name), text, name === 'compose.env' ? ourselves() : account);
  }
  for (const folder of ['executor', 'discovery']) {
    await once(join('clusters', folder, 'clusters.json'), () => '{}\n');
  }
  return made;
}

function ourselves(): Account {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function databaseUrl(role: string, password: string): string {
  return `postgres://${role}:${password}@postgres:5432/impound`;
}

/** The gateway is told a digest: who reads its files cannot come in with what they say. */
function tokensOf(token: string): string {
  const tokenSha256 = createHash('sha256').update(token).digest('hex');
  const actor = { id: 'operator', kind: 'person' };
  const operator = { tokenSha256, actor, tenant: 'default', mayApprove: true, approval: 'never' };
  return `${JSON.stringify([operator], null, 2)}\n`;
}

/** Acknowledged means on disk: one server has no other to learn from. Holds public keys only. */
function busConfig(keys: BusKeys): string {
  const users = `${permissionsConfig()}\n${usersConfig(keys)}`;
  return natsConfig({ head: BUS_HEAD, users, integrations: '' });
}

const BUS_HEAD = `# Made by impound init.
listen: "0.0.0.0:4222"
jetstream { store_dir: "/data", max_mem: 64M, max_file: 4G, sync_interval: always }
`;

function settingsOf(directory: string, { uid, gid }: Account): string {
  return `# Made by impound init; no secret.
IMPOUND_DIR=${directory}
IMPOUND_UID=${uid}
IMPOUND_GID=${gid}
`;
}

/** One way to a cluster, with the kubeconfig's text: containers see no other file of it. */
export interface DeployedCluster {
  readonly name: string;
  readonly kubeconfig: string;
  readonly context?: string | undefined;
}

/** Makes a cluster known to the services that read this folder of `clusters`. */
export async function addDeployedCluster(
  directory: string,
  folder: 'executor' | 'discovery',
  { name, kubeconfig, context }: DeployedCluster,
): Promise<void> {
  const account = containerAccount();
  const home = join(directory, 'clusters', folder);
  const file = `${name}.yaml`;
  await place(join(home, file), kubeconfig, account);
  const list = join(home, 'clusters.json');
  const known = listOf(await readFile(list, 'utf8'), list);
  const entry = {
    kubeconfig: `/etc/impound/clusters/${file}`,
    ...(context === undefined ? {} : { context }),
  };
  await place(list, `${JSON.stringify({ ...known, [name]: entry }, null, 2)}\n`, account);
}

function listOf(text: string, file: string): object {
  try {
    const known: unknown = JSON.parse(text);
    if (typeof known === 'object' && known !== null) return known;
  } catch {
    // said below
  }
  throw new Exit(EXIT.failed, `${file} is damaged: put it right, or remove it and begin again`);
}

async function makeFolder(path: string, owner?: Account): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw new Exit(EXIT.failed, `${path} cannot be made: ${cause.code}`, { cause });
  });
  if (first !== undefined && owner !== undefined) await own(path, owner);
}

async function own(path: string, { uid, gid }: Account): Promise<void> {
  if (process.getuid?.() === 0) await chown(path, uid, gid);
}

async function readIfThere(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new Exit(EXIT.failed, `${path} cannot be read: ${cause.code}`, { cause });
  });
}

/** A file of one account, whole or not at all. */
async function place(path: string, text: string, owner: Account): Promise<string> {
  const next = `${path}.${process.pid}`;
  await writeFile(next, text, { mode: 0o400 });
  await chmod(next, 0o400);
  await own(next, owner);
  await rename(next, path);
  return text;
}

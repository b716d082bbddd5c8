// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busKeys, seedFile } from '@impound/runtime/bus-keys.ts';
import {
  INTEGRATIONS_FILE,
  natsFiles,
  USERS_FILE,
  usersFile,
} from '@impound/runtime/nats-config.ts';
import { newLogKeys } from '@impound/transparency/log-keys.ts';
import { EXIT, Exit } from './exit-code.ts';
import { admitLocal } from './integrations.ts';
import { newOrigin } from './keys.ts';
import { makeStatementKeys } from './signers.ts';

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

const FOLDERS = [
  'secrets',
  'bus',
  'bus/nats',
  'gateway',
  'ledger',
  'statements',
  'clusters',
  'clusters/executor',
  'clusters/discovery',
] as const;

/** Where an operator names witnesses. */
const POLICY = `# Who must sign checkpoints of the log beside the log itself: docs/witnesses.md.
# witness a KEY https://witness.example.net
# quorum a
quorum none
`;

interface Making {
  readonly directory: string;
  readonly account: Account;
  /** The names of what was made or changed. */
  readonly made: string[];
}

/**
 * Makes what docker-compose.yml needs of secrets and settings in a directory. What is there stays:
 * a secret is rotated by removing its file and calling this again. Gives the names of what was
 * made.
 */
export async function makeDeployment(directory: string): Promise<readonly string[]> {
  const it: Making = { directory, account: containerAccount(), made: [] };
  await makeFolder(directory);
  for (const folder of FOLDERS) await makeFolder(join(directory, folder), it.account);
  await once(it, 'compose.env', settingsOf(it), ourselves());
  await once(it, 'secrets/signing-key', newSecret());
  await once(it, 'secrets/log-keys', newLogKeys(newOrigin()));
  await once(it, 'secrets/store-key', '');
  await once(it, 'secrets/mirror-key', '');
  await once(it, 'ledger/policy', POLICY);
  await once(it, 'ledger/tsa.pem', '');
  const token = await once(it, 'token', newSecret(), ourselves());
  await derive(it, 'secrets/operator-token', token);
  await databaseSecrets(it);
  await busSecrets(it);
  await statementSecrets(it);
  for (const folder of ['executor', 'discovery']) {
    await once(it, `clusters/${folder}/clusters.json`, '{}\n');
  }
  const integrations = join(directory, 'gateway', 'integrations.json');
  await admitLocal(integrations, token);
  await own(integrations, it.account);
  return it.made;
}

async function databaseSecrets(it: Making): Promise<void> {
  const secret = async (name: string) => await once(it, `secrets/${name}`, newSecret());
  const admin = databaseUrl('postgres', await secret('postgres-password'));
  const writer = databaseUrl('ledger_writer', await secret('writer-password'));
  const reader = databaseUrl('ledger_reader', await secret('reader-password'));
  const verifier = databaseUrl('ledger_verifier', await secret('verifier-password'));
  await derive(it, 'secrets/admin-database-url', admin);
  await derive(it, 'secrets/ledger-database-url', writer);
  await derive(it, 'secrets/doctor-database-url', reader);
  await derive(it, 'secrets/verifier-database-url', verifier);
}

/** The same layout as `impound keys` has, which rotates what lies there. */
async function busSecrets(it: Making): Promise<void> {
  const folder = join(it.directory, 'bus');
  const keys = await busKeys(folder);
  for (const identity of keys.keys()) await own(seedFile(folder, identity), it.account);
  const files = [...natsFiles(), [USERS_FILE, usersFile(keys)] as const];
  for (const [name, text] of files) await derive(it, `bus/nats/${name}`, text);
  await once(it, `bus/nats/${INTEGRATIONS_FILE}`, '');
}

/** The keys by which services sign, and the list of their public halves for the ledger. */
async function statementSecrets(it: Making): Promise<void> {
  const path = (name: string) => `statements/${name}`;
  await makeStatementKeys({
    once: (name, text) => once(it, path(name), text),
    derive: (name, text) => derive(it, path(name), text),
    read: (name) => readIfThere(join(it.directory, path(name))),
  });
}

/** Made where it is missing; gives what the file says. */
async function once(it: Making, name: string, text: string, owner = it.account): Promise<string> {
  const path = join(it.directory, name);
  const there = await readIfThere(path);
  if (there !== undefined) return there;
  it.made.push(name);
  await place(path, text, owner);
  return text;
}

/** Follows from other files: written anew where it does not fit them any more. */
async function derive(it: Making, name: string, text: string): Promise<void> {
  const path = join(it.directory, name);
  if ((await readIfThere(path)) === text) return;
  it.made.push(name);
  await place(path, text, it.account);
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

function settingsOf({ directory, account: { uid, gid } }: Making): string {
  return `# Made by impound init; no secret. Yours to add to, e.g. IMPOUND_PORT=8080.
IMPOUND_DIR=${directory}
IMPOUND_UID=${uid}
IMPOUND_GID=${gid}
# Who remembers the log outside of its database (docs/witnesses.md); witnesses are in ledger/policy.
# The ledger reaches none of them before this is said:
# WITNESSES_NETWORK=outside
# A bucket of another account; its key goes into secrets/mirror-key:
# MIRROR_URL=s3://BUCKET/PREFIX?region=REGION
# An authority of time (RFC 3161); its root certificate goes into ledger/tsa.pem:
# TSA_URL=https://timestamp.example.org
# TSA_MINUTES=10
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
    kubeconfig: `/etc/impound/${folder}/${file}`,
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
async function place(path: string, text: string, owner: Account): Promise<void> {
  const next = `${path}.${process.pid}`;
  await writeFile(next, text, { mode: 0o600 });
  await chmod(next, 0o600);
  await own(next, owner);
  await rename(next, path);
}

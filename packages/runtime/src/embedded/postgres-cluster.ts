// SPDX-License-Identifier: Apache-2.0
import { createHmac, randomBytes } from 'node:crypto';
import {
  chown,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { type Owner, startChild } from './child.ts';

const SECRET_BYTES = 32;
const NOBODY: Owner = { uid: 65_534, gid: 65_534 };

/** The whole environment of PostgreSQL's programs: nothing of ours leaks into them. */
export const SERVER_ENV = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const;

/** The role that initdb makes: it may do everything. */
export const SUPERUSER = 'postgres';

/** A database cluster on disk and the account it belongs to. */
export interface Cluster {
  /** The files of PostgreSQL itself. */
  readonly folder: string;
  /** How PostgreSQL is told the folder: below a parent it cannot enter, by way of its cwd. */
  readonly dataArg: string;
  readonly owner: Owner | undefined;
  /** The password of a role: fixed for this cluster, different for every role. */
  password(role: string): string;
}

/** PostgreSQL refuses root, so root starts it as `nobody`; everybody else as themselves. */
export function clusterOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (process.platform === 'linux') return NOBODY;
  throw new Error('PostgreSQL refuses to run as root here: use an ordinary account');
}

/** Opens the cluster in `dataDir`, or makes one: UTF-8, C.UTF-8 order, SCRAM passwords. */
export async function openCluster(
  { dataDir, initdb }: { dataDir: string; initdb: string },
  signal: AbortSignal,
): Promise<Cluster> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const owner = clusterOwner();
  const secret = await clusterSecret(join(dataDir, 'secret'));
  const folder = join(dataDir, 'cluster');
  const password = (role: string) => createHmac('sha256', secret).update(role).digest('base64url');
  const cluster = { folder, owner, password, dataArg: owner ? '/proc/self/cwd' : folder };
  if (!(await exists(folder))) await create(cluster, initdb, signal);
  return cluster;
}

/** A cut during initdb leaves `cluster.new` only, and the next start begins it afresh. */
async function create(cluster: Cluster, initdb: string, signal: AbortSignal): Promise<void> {
  const { folder, owner } = cluster;
  const fresh = `${folder}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  if (owner) await chown(fresh, owner.uid, owner.gid);
  const password = await unlinkedFile(`${folder}.pw`, cluster.password(SUPERUSER), owner);
  try {
    const dataArg = owner ? cluster.dataArg : fresh;
    const args = ['--pgdata', dataArg, '--username', SUPERUSER, '--pwfile', '/dev/stdin'];
    args.push('--auth=scram-sha-256', '--encoding=UTF8', '--locale=C');
    args.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions');
    const command = { file: initdb, args, cwd: fresh, owner, env: SERVER_ENV, stdin: password.fd };
    const child = await startChild({ ...command, deathSignal: 'KILL' }, signal);
    const code = await child.exit(signal);
    if (code !== 0) throw new Error(`initdb failed in ${fresh} (exit ${code}): ${child.log()}`);
  } finally {
    await password.close();
  }
  await rename(fresh, folder);
}

/** A file that only its open handle still names: readable as /dev/stdin, never left behind. */
async function unlinkedFile(path: string, content: string, owner: Owner | undefined) {
  await rm(path, { force: true });
  const file = await open(path, 'wx+', 0o600);
  if (owner) await file.chown(owner.uid, owner.gid);
  await unlink(path);
  await file.write(content, 0);
  return file;
}

async function clusterSecret(path: string): Promise<string> {
  if (!(await exists(path))) {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    await writeFile(`${path}.new`, secret, { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
  }
  return await readFile(path, 'utf8');
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

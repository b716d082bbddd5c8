// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import {
  cp,
  glob,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The code of all services in one version, in a folder of its own. */
export interface Tree {
  /** What people know it by. */
  readonly name: string;
  readonly directory: string;
  /** It says what an earlier ledger does not know, and would not record. */
  readonly ledgerFirst?: boolean;
}

/** Where this version is. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What services are made of. */
const ROOMS = ['contracts', 'packages', 'services', 'package.json'];
const WORKSPACES = ['contracts', 'packages/*', 'services/*'];
const RELEASES = 'contracts/fixtures';
const run = promisify(execFile);

/** The file that is a service's process in that version. */
export function mainOf({ directory }: Tree, service: string): string {
  return join(directory, 'services', service, 'src', 'main.ts');
}

/**
 * Lays out what was committed as `ref`; where none is named, what froze the newest release's
 * fixtures. Gives a sentence instead where the history that it takes is not here.
 */
export async function oldTree(
  ref: string | undefined,
  scope: AsyncDisposableStack,
): Promise<Tree | string> {
  const commit = ref === undefined ? await frozenAt() : await commitOf(ref);
  if (commit === undefined) {
    return ref === undefined ? 'there is no whole git history here' : `git knows no ${ref} here`;
  }
  const directory = await folder(scope);
  const archive = join(directory, 'tree.tar');
  await git('archive', '--format=tar', `--output=${archive}`, commit, ...ROOMS);
  await run('tar', ['-xf', archive, '-C', directory]);
  await rm(archive);
  await linkDependencies(directory);
  return { name: `${await git('log', '-1', '--format=%h of %cs', commit)}`, directory };
}

/** A copy of this version, to be changed. */
export async function copiedTree(name: string, scope: AsyncDisposableStack): Promise<Tree> {
  const directory = await folder(scope);
  for (const room of ROOMS) {
    const filter = (path: string) => basename(path) !== 'node_modules';
    await cp(join(ROOT, room), join(directory, room), { recursive: true, filter });
  }
  await linkDependencies(directory);
  return { name, directory };
}

async function folder(scope: AsyncDisposableStack): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'impound-version-')));
  scope.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** The last commit of the newest release's fixtures; a shallow clone would name a wrong one. */
async function frozenAt(): Promise<string | undefined> {
  const releases = await readdir(join(ROOT, RELEASES));
  const newest = releases.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  const shallow = await git('rev-parse', '--is-shallow-repository').catch(() => 'true');
  if (newest === undefined || shallow !== 'false') return undefined;
  return (await git('log', '-1', '--format=%H', '--', `${RELEASES}/${newest}`)) || undefined;
}

async function commitOf(ref: string): Promise<string | undefined> {
  const asked = ['--verify', '--quiet', '--end-of-options', `${ref}^{commit}`];
  return await git('rev-parse', ...asked).catch(() => undefined);
}

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', args, { cwd: ROOT });
  return stdout.trim();
}

/** Others' packages are those of this version; the house's own are the tree's. */
async function linkDependencies(directory: string): Promise<void> {
  const [here, there] = [join(ROOT, 'node_modules'), join(directory, 'node_modules')];
  await mkdir(there);
  for (const name of await readdir(here)) {
    if (name !== '@impound') await symlink(join(here, name), join(there, name));
  }
  for await (const place of glob(WORKSPACES, { cwd: directory })) {
    const workspace = join(directory, place);
    const { name } = JSON.parse(await readFile(join(workspace, 'package.json'), 'utf8'));
    await mkdir(dirname(join(there, name)), { recursive: true });
    await symlink(workspace, join(there, name));
    const own = join(ROOT, place, 'node_modules');
    const has = await readdir(own).catch(() => undefined);
    if (has !== undefined) await symlink(own, join(workspace, 'node_modules'));
  }
  const language = join(directory, 'contracts/src/event.ts');
  if (resolved(directory, '@impound/contracts/event.ts') === language) return;
  throw new Error(`what is in ${directory} cannot be run: it does not find its own contracts`);
}

function resolved(directory: string, name: string): string | undefined {
  try {
    return createRequire(join(directory, 'services/ledger/src/main.ts')).resolve(name);
  } catch {
    return undefined;
  }
}

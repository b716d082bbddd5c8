// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, copyFile, cp, lchown, lutimes, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import type { FileSpec, Flavor } from '../options.ts';
import { findTool } from './tools.ts';

const DEVICES = ['null', 'zero', 'full', 'random', 'urandom'];
const FOLDERS = [
  'app',
  'dev/shm',
  'etc',
  'proc',
  'root',
  'run',
  'sys',
  'tmp',
  'var/log',
  'var/tmp',
];
const SYSTEM_FOLDERS = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/** A mount that belongs to a container; it exists in the container's mount namespace only. */
export interface Mount {
  readonly kind: 'bind' | 'read-only' | 'proc' | 'tmpfs' | 'seal';
  readonly from: string;
  readonly to: string;
}

/** A container's file system: the directory, what is mounted on it, and what it would run. */
export interface Rootfs {
  readonly path: string;
  readonly mounts: readonly Mount[];
  readonly defaultCommand: readonly string[];
}

/** Who owns planted files, unless only one user exists (no real root). */
export interface Owner {
  readonly user: number;
  readonly group: number;
}

/** Builds the directory of a container; nothing is mounted yet. */
export async function buildRootfs(
  path: string,
  flavor: Flavor,
  identity: Owner & { readonly hostname: string },
): Promise<Rootfs> {
  for (const folder of FOLDERS) await mkdir(join(path, folder), { recursive: true });
  for (const folder of ['tmp', 'var/tmp', 'dev/shm']) await chmod(join(path, folder), 0o1777);
  await chmod(join(path, 'root'), 0o700);
  await writeIdentity(path, identity);
  const mounts: Mount[] = [{ kind: 'proc', from: 'proc', to: '/proc' }];
  for (const device of DEVICES) {
    await writeFile(join(path, 'dev', device), '');
    mounts.push({ kind: 'bind', from: `/dev/${device}`, to: `/dev/${device}` });
  }
  for (const [name, to] of [
    ['fd', ''],
    ['stdin', '/0'],
    ['stdout', '/1'],
    ['stderr', '/2'],
  ]) {
    await symlink(`/proc/self/fd${to}`, join(path, 'dev', name ?? ''));
  }
  if (flavor === 'debian') return { path, ...(await debian(path, mounts)) };
  if (flavor === 'busybox') return { path, mounts, ...(await busybox(path)) };
  return { path, mounts, ...(await distroless(path)) };
}

async function writeIdentity(path: string, identity: Owner & { readonly hostname: string }) {
  const { user, group, hostname } = identity;
  const extra = user === 0 ? '' : `app:x:${user}:${group}:app:/app:/sbin/nologin\n`;
  const extraGroup = group === 0 ? '' : `app:x:${group}:\n`;
  const etc = (name: string, text: string) => writeFile(join(path, 'etc', name), text);
  await etc('passwd', `root:x:0:0:root:/root:/bin/sh\n${extra}`);
  await etc('group', `root:x:0:\n${extraGroup}`);
  await etc('hostname', `${hostname}\n`);
  await etc('hosts', `127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.0.1\t${hostname}\n`);
  await etc('resolv.conf', 'search svc.cluster.local cluster.local\nnameserver 10.96.0.10\n');
}

async function debian(path: string, mounts: Mount[]): Promise<Omit<Rootfs, 'path'>> {
  await mkdir(join(path, 'usr'), { recursive: true });
  mounts.push({ kind: 'read-only', from: '/usr', to: '/usr' });
  for (const folder of SYSTEM_FOLDERS.filter((name) => existsSync(`/${name}`))) {
    if (lstatSync(`/${folder}`).isSymbolicLink()) {
      await symlink(readlinkSync(`/${folder}`), join(path, folder));
    } else {
      await mkdir(join(path, folder), { recursive: true });
      mounts.push({ kind: 'read-only', from: `/${folder}`, to: `/${folder}` });
    }
  }
  for (const name of [
    'alternatives',
    'ld.so.cache',
    'ld.so.conf',
    'os-release',
    'debian_version',
  ]) {
    const target = join(path, 'etc', name);
    if (existsSync(`/etc/${name}`)) {
      await cp(`/etc/${name}`, target, { recursive: true, verbatimSymlinks: true });
    }
  }
  return { mounts, defaultCommand: ['sleep', 'infinity'] };
}

async function busybox(path: string): Promise<Omit<Rootfs, 'path' | 'mounts'>> {
  const program = staticBusybox();
  if (program === undefined) {
    throw new Error(
      'The flavor "busybox" needs a statically linked busybox on this host ' +
        '(Debian package busybox or busybox-static). Install it or use the flavor "debian".',
    );
  }
  await mkdir(join(path, 'bin'), { recursive: true });
  await copyFile(program, join(path, 'bin/busybox'));
  const applets = execFileSync(program, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets.filter((name) => name !== 'busybox')) {
    await symlink('busybox', join(path, 'bin', applet));
  }
  return { defaultCommand: ['/bin/sleep', '2147483647'] };
}

// One program and the name it is called by; busybox is a program only under an applet's name.
async function distroless(path: string): Promise<Omit<Rootfs, 'path' | 'mounts'>> {
  const program = staticBusybox();
  if (program === undefined) await copyProgram('sleep', join(path, 'app/server'), path);
  else await copyFile(program, join(path, 'app/server'));
  await symlink('server', join(path, 'app/sleep'));
  return { defaultCommand: ['/app/sleep', '2147483647'] };
}

function staticBusybox(): string | undefined {
  const program = findTool('busybox');
  return program !== undefined && sharedObjects(program).length === 0 ? program : undefined;
}

function sharedObjects(program: string): string[] {
  // PT_INTERP names the dynamic loader; a static program has no such text in its head.
  if (!readFileSync(program).subarray(0, 4096).includes('/ld-')) return [];
  const listing = execFileSync(findTool('ldd') ?? 'ldd', [program], { encoding: 'utf8' });
  return [...listing.matchAll(/(\/[^ )]+)/g)].map((match) => match[1] ?? '');
}

async function copyProgram(name: string, target: string, root: string): Promise<void> {
  const program = findTool(name);
  if (program === undefined) throw new Error(`The program "${name}" to copy is not on this host.`);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(program, target);
  for (const object of sharedObjects(program)) {
    const place = join(root, object);
    await mkdir(dirname(place), { recursive: true });
    if (!existsSync(place)) await copyFile(object, place);
  }
}

/** Plants files below a directory, never outside of it. */
export async function plant(
  root: string,
  files: readonly FileSpec[],
  owner: Owner | undefined,
): Promise<void> {
  for (const file of files) {
    const target = join(root, normalize(`/${file.path}`));
    await mkdir(dirname(target), { recursive: true });
    if (file.linkTo === undefined) await plantFile(target, file);
    else await symlink(file.linkTo, target);
    if (owner !== undefined) await lchown(target, owner.user, owner.group);
    if (file.modified !== undefined) await lutimes(target, file.modified, file.modified);
  }
}

async function plantFile(target: string, file: FileSpec): Promise<void> {
  if (file.copyOfProgram === undefined) await writeFile(target, file.bytes ?? file.text ?? '');
  else await copyAlone(file.copyOfProgram, target);
  await chmod(target, file.mode ?? (file.copyOfProgram === undefined ? 0o644 : 0o755));
}

async function copyAlone(name: string, target: string): Promise<void> {
  const program = findTool(name);
  if (program === undefined) throw new Error(`The program "${name}" to copy is not on this host.`);
  await copyFile(program, target);
}

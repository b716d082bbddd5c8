// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import {
  access,
  constants,
  mkdir,
  readlink,
  rename,
  rm,
  stat,
  statfs,
  symlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@impound/runtime/fault.ts';
import { EXIT, Exit } from './exit-code.ts';

/** A data directory that another process works in. */
export class DataDirInUse extends Exit {
  readonly pid: number;
  constructor(dataDir: string, pid: number) {
    const advice = 'stop that one first, or name another directory with --data';
    super(EXIT.failed, `process ${pid} runs a platform in ${dataDir}: ${advice}`);
    this.pid = pid;
  }
}

const OTHERS_MAY_WRITE = 0o022;
/** A new database takes some 80 MiB, and evidence comes to it. */
const FREE_BYTES_MIN = 256 * 1_048_576;
const TRIES_MAX = 10;

/**
 * Opens a data directory for this process alone, makes it where it is missing, and lets it go with
 * the scope. What a killed process left is taken over. Throws DataDirInUse, or Exit that says what
 * is wrong with the directory.
 */
export async function openDataDir(dataDir: string, scope: AsyncDisposableStack): Promise<void> {
  await makeOurs(dataDir);
  const lock = lockOf(dataDir);
  for (let attempt = 1; ; attempt++) {
    if (await take(lock)) break;
    const target = await readlink(lock).catch(() => '');
    const pid = aliveIn(target);
    if (pid !== undefined || attempt >= TRIES_MAX) throw new DataDirInUse(dataDir, pid ?? 0);
    await breakLock(lock, target);
  }
  scope.defer(() => rm(lock, { force: true }));
}

async function makeOurs(dataDir: string): Promise<void> {
  const refuse = (why: string, cause?: unknown) =>
    new Exit(EXIT.failed, `the data directory ${dataDir} ${why}`, { cause });
  await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw refuse(`cannot be made: ${messageOf(cause)}`, cause);
  });
  const { mode, uid } = await stat(dataDir);
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw refuse(`belongs to user ${uid}: run as that user, or name another with --data`);
  }
  if ((mode & OTHERS_MAY_WRITE) !== 0) {
    throw refuse(`can be written by others, who could swap evidence: chmod 700 ${dataDir}`);
  }
  await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK).catch((cause) => {
    throw refuse(`cannot be written: ${messageOf(cause)}`, cause);
  });
  const { bavail, bsize } = await statfs(dataDir);
  if (bavail * bsize < FREE_BYTES_MIN) {
    const mebibytes = FREE_BYTES_MIN / 1_048_576;
    throw refuse(`is on a full disk: ${mebibytes} MiB must be free, or name another with --data`);
  }
}

/** The lock is a link whose target names the holder: made, with its content, in one step. */
function lockOf(dataDir: string): string {
  return join(dataDir, 'lock');
}

async function take(lock: string): Promise<boolean> {
  try {
    await symlink(`${process.pid}.${birthOf(process.pid)}`, lock);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new Exit(EXIT.failed, `${lock} cannot be made: ${messageOf(cause)}`, { cause });
  }
}

/** The process that works in a data directory; undefined where none does, or it was killed. */
export async function holderOf(dataDir: string): Promise<number | undefined> {
  return aliveIn(await readlink(lockOf(dataDir)).catch(() => ''));
}

function aliveIn(target: string): number | undefined {
  const [number = '', birth = ''] = target.split('.');
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid < 1 || !lives(pid)) return undefined;
  // The number may have been given out again, after a crash or in another boot.
  return birthOf(pid) === birth ? pid : undefined;
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const START_TIME_FIELD = 19;

/** When a process began, in ticks since the boot (proc(5), stat, starttime); '' where unknown. */
function birthOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[START_TIME_FIELD] ?? '';
  } catch {
    return '';
  }
}

/** Moves a dead holder's lock away; gives it back if somebody alive was quicker. */
async function breakLock(lock: string, dead: string): Promise<void> {
  const away = `${lock}.${process.pid}`;
  await rename(lock, away).catch(() => undefined);
  const moved = await readlink(away).catch(() => dead);
  if (moved !== dead) await symlink(moved, lock).catch(() => undefined);
  await rm(away, { force: true });
}

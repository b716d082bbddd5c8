// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '@impound/runtime/fault.ts';
import { wait } from '@impound/runtime/wait.ts';
import type { Stage } from '../fleet/drill.ts';
import { sayAcquisitions } from './acquisitions.ts';
import { hold, type Kept, newKept } from './hold.ts';
import { openStand, type Stand } from './stand.ts';

const run = promisify(execFile);

const MIB = 2 ** 20;
/** Room for a new cluster, its log, and some thousand entries. */
const DISK_MIB = 160;
/** More than the pages have room for that PostgreSQL has allocated already. */
const CHAINS = 400;
const FULL_MS_MAX = 120_000;
const LOOK_MS = 50;
/** So long nobody may be answered while there is no room. */
const STILL_MS = 2_000;

/** A small file system of its own, which goes with the scope. Rejects where none may be mounted. */
export async function smallDisk(scope: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'impound-full-'));
  scope.defer(() => rm(directory, { recursive: true, force: true }));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', directory]);
  scope.defer(async () => void (await run('umount', ['--lazy', directory])));
  return directory;
}

/** The disk under PostgreSQL is full, in two ways, and gets room again. */
export async function fullDisk(stage: Stage): Promise<readonly string[]> {
  await using scope = new AsyncDisposableStack();
  const disk = await smallDisk(scope).catch((error: unknown) => ({ because: messageOf(error) }));
  if (typeof disk !== 'string') {
    return [`the disk was NOT filled: no file system may be mounted here (${disk.because})`];
  }
  await using stand = await openStand({ dataDir: join(disk, 'postgres') }, stage.signal);
  const kept = newKept();
  const at = { stand, kept, disk, stage };
  return [
    ...(await filled(at, { name: 'no room for entries', words: /No space left on device/ })),
    ...(await filled(at, {
      name: 'no room for the log of the database',
      words: /"msg":"not writing"/,
      // The next byte of its log needs a new file, for which there is no room: it ends itself.
      next: ({ sql }) => sql`select pg_switch_wal()`.then(() => sql`select txid_current()`),
    })),
  ];
}

interface At {
  readonly stand: Stand;
  readonly kept: Kept;
  readonly disk: string;
  readonly stage: Stage;
}

interface Filling {
  readonly name: string;
  /** What the ledger says when it meets it. */
  readonly words: RegExp;
  readonly next?: (stand: Stand) => Promise<unknown>;
}

async function filled(at: At, { name, words, next }: Filling): Promise<readonly string[]> {
  const { stand, kept, disk, stage } = at;
  const { speaker } = stand;
  const signal = AbortSignal.any([stage.signal, AbortSignal.timeout(FULL_MS_MAX)]);
  const findings: string[] = [];
  const answered = () => [...speaker.answers.values()].flat().length;
  const ballast = join(disk, 'ballast');
  await fill(ballast);
  const start = (await logOf(stand)).length;
  const saying = sayAcquisitions(stand, CHAINS, signal);
  await next?.(stand).catch(() => undefined);
  const told = next === undefined ? start : (await logOf(stand)).length;
  const sentence = await toldBy(stand, told, words, signal);
  stage.tell(`${name}: ${sentence}`);
  const before = answered();
  await wait(STILL_MS, signal);
  const passed = answered() - before;
  stage.tell(`${name}: ${before} answers came before, ${passed} while there was no room`);
  await rm(ballast);
  // A database that has ended for want of room is started by whoever looks after it.
  if (next !== undefined) await stand.database.kill();
  await stand.database.ready();
  const speeches = await saying;
  await stand.ledger.ready();
  findings.push(...(await hold(stand, kept, speeches, signal)));
  stage.tell(`${name}: with room, all ${speeches.length} events are on record once`);
  const unlike = findings.map((finding) => `${name}: ${finding}`);
  for (const one of unlike) stage.tell(`NOT AS PROMISED: ${one}`);
  return unlike;
}

/** Writes until there is no room. */
async function fill(path: string): Promise<void> {
  await using file = await open(path, 'w');
  for (const piece of [Buffer.alloc(MIB), Buffer.alloc(4_096)]) {
    try {
      for (;;) await file.write(piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
}

function logOf({ directory }: Stand): Promise<string> {
  return readFile(join(directory, 'ledger.log'), 'utf8');
}

async function toldBy(
  stand: Stand,
  from: number,
  words: RegExp,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    const line = (await logOf(stand))
      .slice(from)
      .split('\n')
      .find((one) => words.test(one));
    if (line !== undefined) {
      const { msg, because } = JSON.parse(line) as { msg: string; because: string };
      return `the ledger says: ${msg}: ${because}`;
    }
    await wait(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

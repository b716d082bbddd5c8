// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Arguments } from './arguments.ts';
import type { Access } from './client.ts';
import { EXIT, Exit } from './exit-code.ts';

/** What the command line and the environment of a person say. */
export interface Surroundings {
  readonly args: Arguments;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The directory where a platform of one machine keeps everything. */
export function dataDirOf({ args, environment }: Surroundings): string {
  return resolve(args.text('data') ?? environment['IMPOUND_DATA'] ?? join(homedir(), '.impound'));
}

/** The file by which a running platform tells where it is; readable by its owner only. */
export function platformFile(dataDir: string): string {
  return join(dataDir, 'platform.json');
}

/**
 * The platform to speak to: --url with --token-file or IMPOUND_TOKEN, IMPOUND_URL, or the one that
 * runs in the data directory. Undefined where none is named and none runs.
 */
export async function findAccess(here: Surroundings): Promise<Access | undefined> {
  const { args, environment } = here;
  const url = args.text('url') ?? environment['IMPOUND_URL'];
  if (url === undefined) return await runningHere(dataDirOf(here));
  const file = args.text('token-file');
  const token = file ? (await readToken(file)).trim() : environment['IMPOUND_TOKEN'];
  if (!token) throw new Exit(EXIT.usage, '--token-file or IMPOUND_TOKEN is needed with a URL');
  return { url: url.replace(/\/+$/, ''), token };
}

async function readToken(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Exit(EXIT.usage, `the token file ${file} cannot be read`, { cause });
  });
}

async function runningHere(dataDir: string): Promise<Access | undefined> {
  const text = await readFile(platformFile(dataDir), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const found = JSON.parse(text) as Access & { readonly pid: number };
  return isAlive(found.pid) ? { url: found.url, token: found.token } : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Like findAccess, or Exit(unreachable) with what to do. */
export async function neededAccess(here: Surroundings): Promise<Access> {
  const access = await findAccess(here);
  if (access !== undefined) return access;
  const message = 'no platform runs here: start one with `impound up`, or name it with --url';
  throw new Exit(EXIT.unreachable, message);
}

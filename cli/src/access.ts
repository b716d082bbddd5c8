// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Secret, SecretText } from '@impound/runtime/secret.ts';
import * as z from 'zod';
import type { Arguments } from './arguments.ts';
import type { Access } from './client.ts';
import { holderOf } from './data-dir.ts';
import { EXIT, Exit } from './exit-code.ts';

/** What the command line and the environment of a person say. */
export interface Surroundings {
  readonly args: Arguments;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** For whom a platform runs: for everybody, for one acquire, or only to look into its data. */
const Role = z.enum(['up', 'acquire', 'look']);
export type Role = z.output<typeof Role>;

/** A platform that answers, or should. */
export interface FoundAccess extends Access {
  readonly role: Role;
}

/** What a running platform tells of itself; a file that only its owner can read. */
const PlatformFile = z.object({
  url: z.url(),
  token: z.string().min(1),
  pid: z.int(),
  role: Role,
  natsUrl: z.string().optional(),
  /** The file of the seed with which one may look at the bus. */
  nkeyFile: z.string().optional(),
  /** As a role that may only read. */
  databaseUrl: SecretText.optional(),
});

/** The directory where a platform of one machine keeps everything. */
export function dataDirOf({ args, environment }: Surroundings): string {
  return resolve(args.text('data') ?? environment['IMPOUND_DATA'] ?? join(homedir(), '.impound'));
}

/** The file by which a running platform tells where it is. */
export function platformFile(dataDir: string): string {
  return join(dataDir, 'platform.json');
}

/** The URL of a platform elsewhere; --data on the command line goes before IMPOUND_URL. */
export function remoteUrl({ args, environment }: Surroundings): string | undefined {
  if (args.text('url') !== undefined) return args.text('url');
  return args.text('data') === undefined ? environment['IMPOUND_URL'] || undefined : undefined;
}

/**
 * The platform to speak to: --url with --token-file or IMPOUND_TOKEN, IMPOUND_URL, or the one that
 * runs in the data directory. Undefined where none is named and none runs.
 */
export async function findAccess(here: Surroundings): Promise<FoundAccess | undefined> {
  const url = remoteUrl(here);
  if (url === undefined) return await readPlatformFile(dataDirOf(here));
  return { url: checkedUrl(url), token: await tokenOf(here), role: 'up' };
}

/** The message never repeats a URL that could hold a password. */
function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Exit(EXIT.usage, '--url (or IMPOUND_URL) is http://HOST:PORT or https://HOST');
  }
  if (url.username === '' && url.password === '') return url.href.replace(/\/+$/, '');
  throw new Exit(EXIT.usage, '--url holds a name or a password: give a token with --token-file');
}

async function tokenOf({ args, environment }: Surroundings): Promise<string> {
  const file = args.text('token-file');
  const token = (file ? await readToken(file) : (environment['IMPOUND_TOKEN'] ?? '')).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const source = file === undefined ? 'IMPOUND_TOKEN' : `the token file ${file}`;
  if (token !== '') throw new Exit(EXIT.usage, `${source} holds no token: one line of ASCII`);
  throw new Exit(EXIT.usage, '--token-file or IMPOUND_TOKEN is needed with a URL');
}

async function readToken(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Exit(EXIT.usage, `the token file ${file} cannot be read`, { cause });
  });
}

/** What stands behind a platform that runs here, for who may only look. */
export interface Backends {
  readonly natsUrl: string;
  readonly nkeyFile: string | undefined;
  readonly database: Secret;
}

/** Undefined where no platform runs in the directory. */
export async function runningBackends(dataDir: string): Promise<Backends | undefined> {
  const { natsUrl, nkeyFile, databaseUrl } = (await readPlatformFile(dataDir)) ?? {};
  if (natsUrl === undefined || databaseUrl === undefined) return undefined;
  return { natsUrl, nkeyFile, database: databaseUrl };
}

async function readPlatformFile(dataDir: string) {
  const holder = await holderOf(dataDir);
  if (holder === undefined) return undefined;
  const file = platformFile(dataDir);
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '{}';
    throw new Exit(EXIT.unreachable, `${file} cannot be read: ${cause.code}`, { cause });
  });
  const found = PlatformFile.safeParse(jsonOf(text));
  // One that was killed leaves its file; the holder has written its own once it is ready.
  return found.success && found.data.pid === holder ? found.data : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What to do where no platform runs here. */
export function noPlatform(here: Surroundings): Exit {
  const where = dataDirOf(here);
  const message = `no platform runs in ${where}: start one with \`impound up\`, or name it with --url`;
  return new Exit(EXIT.unreachable, message);
}

/** The platform that runs: here, or where the URL says. Throws Exit(unreachable). */
export async function runningAccess(here: Surroundings): Promise<Access> {
  const access = await findAccess(here);
  if (access === undefined || access.role === 'look') throw noPlatform(here);
  return access;
}

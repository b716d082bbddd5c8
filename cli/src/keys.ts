// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { chmod, chown, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newLogKeys } from '@impound/transparency/log-keys.ts';
import * as z from 'zod';
import { EXIT, Exit } from './exit-code.ts';

/** The secrets of a data directory. */
export interface Keys {
  /** What clients show to the gateway. */
  readonly token: string;
  /** What upload sessions are signed with. */
  readonly signing: string;
}

const Keys = z.object({ token: z.string().min(32), signing: z.string().min(32) });
const KEY_BYTES = 32;
const OTHERS = 0o077;

/** The keys of a data directory, made once. Throws Exit, which never repeats what the file says. */
export async function readKeys(dataDir: string): Promise<Keys> {
  const file = join(dataDir, 'keys.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Exit(EXIT.failed, `${file} cannot be read: ${error.code}`, { cause: error });
  });
  if (text === undefined) return await makeKeys(file);
  if (((await stat(file)).mode & OTHERS) !== 0) {
    const advice = `remove it for new keys, or: chmod 600 ${file}`;
    throw new Exit(EXIT.failed, `${file} holds secrets and others can read it; ${advice}`);
  }
  const keys = Keys.safeParse(jsonOf(text));
  if (keys.success) return keys.data;
  throw new Exit(EXIT.failed, `${file} is damaged: remove it, and new keys are made`);
}

async function makeKeys(file: string): Promise<Keys> {
  const secret = () => randomBytes(KEY_BYTES).toString('base64url');
  const keys: Keys = { token: secret(), signing: secret() };
  await writeSecret(file, JSON.stringify(keys));
  return keys;
}

/** The secret of the log of a data directory, made once: lost, nothing more can be added to it. */
export async function logKeys(dataDir: string): Promise<string> {
  const file = join(dataDir, 'log-keys.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Exit(EXIT.failed, `${file} cannot be read: ${error.code}`, { cause: error });
  });
  if (text !== undefined) return text;
  const made = newLogKeys(newOrigin());
  await writeSecret(file, made);
  return made;
}

const ORIGIN_BYTES = 8;

/** A name for a log that nobody else has; whoever runs a log for others gives it one of theirs. */
export function newOrigin(): string {
  return `impound.local/custody/${randomBytes(ORIGIN_BYTES).toString('hex')}`;
}

/**
 * Writes a file that only its owner can read, whole or not at all. Where root changes what belongs
 * to another account, it stays that one's.
 */
export async function writeSecret(file: string, text: string): Promise<void> {
  const next = `${file}.${process.pid}`;
  await writeFile(next, text, { mode: 0o600 });
  await chmod(next, 0o600);
  const before = await stat(file).catch(() => undefined);
  if (before !== undefined && process.getuid?.() === 0) await chown(next, before.uid, before.gid);
  await rename(next, file);
}

/** The parser's own message would repeat a piece of the text. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { constants, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BUS_IDENTITIES } from '@impound/contracts/bus-rights.ts';
import { nkeys } from '@nats-io/transport-node';
import { ConfigFault } from './config.ts';

/** Public keys by identity: what the server is given. The first of a list is the newest. */
export type BusKeys = ReadonlyMap<string, readonly string[]>;

/** Where the system account's own user is found beside the identities of BUS_IDENTITIES. */
export const SYSTEM = 'system';

const SEED = /^SU[A-Z2-7]{56}$/;

/** The file that holds the seed by which an identity proves itself. */
export function seedFile(folder: string, identity: string): string {
  return join(folder, `${identity}.nk`);
}

/** The one before, which counts until its rotation has ended. */
function oldSeedFile(folder: string, identity: string): string {
  return join(folder, `${identity}.old.nk`);
}

/**
 * The public keys of an installation: one seed per identity, in a file that only its owner reads.
 * What is missing is made, what is there is kept. Throws ConfigFault, which repeats no secret.
 */
export async function busKeys(folder: string): Promise<BusKeys> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const keys = [...BUS_IDENTITIES, SYSTEM].map(async (identity) => {
    const file = seedFile(folder, identity);
    await makeSeed(file);
    const old = oldSeedFile(folder, identity);
    const before = await readFile(old).catch(absent);
    const known = [publicKey(await readFile(file), file)];
    if (before !== undefined) known.push(publicKey(before, old));
    return [identity, known] as const;
  });
  return new Map(await Promise.all(keys));
}

/** Gives an identity a new seed; the one before counts, too, until the rotation has ended. */
export async function rotateKey(folder: string, identity: string): Promise<void> {
  const file = seedFile(folder, identity);
  await copyFile(file, oldSeedFile(folder, identity), constants.COPYFILE_EXCL).catch((error) => {
    if (error.code === 'ENOENT') return;
    const advice = 'end the rotation before with --finish';
    throw new ConfigFault(`${identity} cannot be rotated (${error.code}): ${advice}`);
  });
  const next = `${file}.${process.pid}`;
  await makeSeed(next);
  // In one step: whoever reads the file finds the old seed or the new one.
  await rename(next, file);
}

/** Forgets the seeds that were rotated away. */
export async function endRotation(folder: string): Promise<void> {
  for (const identity of [...BUS_IDENTITIES, SYSTEM]) {
    await rm(oldSeedFile(folder, identity), { force: true });
  }
}

/** A key for somebody who is no service: the seed is for its holder alone. */
export function newUserKey(): { readonly publicKey: string; readonly seed: string } {
  const pair = nkeys.createUser();
  return { publicKey: pair.getPublicKey(), seed: Buffer.from(pair.getSeed()).toString('latin1') };
}

/** Whether it is the public key of a user, down to its checksum: a server refuses any other. */
export function isUserKey(text: string): boolean {
  try {
    return nkeys.fromPublic(text).getPublicKey().startsWith('U');
  } catch {
    return false;
  }
}

async function makeSeed(file: string): Promise<void> {
  const line = Buffer.concat([nkeys.createUser().getSeed(), Buffer.from('\n')]);
  await writeFile(file, line, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/**
 * Gives the seed in a file each time it is wanted: a rotated one is shown to the bus with the next
 * connection. One that cannot be read by then leaves the last good one. Throws ConfigFault at once
 * where there is none.
 */
export function seedIn(file: string): () => Uint8Array {
  let known = seedOf(readNow(file), file);
  return () => {
    try {
      known = seedOf(readNow(file), file);
    } catch {
      // the server tells whether the one before still counts
    }
    return known;
  };
}

function readNow(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigFault(`NATS_NKEY_FILE names what cannot be read: ${code}: ${file}`);
  }
}

function seedOf(bytes: Buffer, file: string): Uint8Array {
  const seed = bytes.toString('latin1').trim();
  if (!SEED.test(seed)) throw new ConfigFault(`${file} holds no user seed (SU…): make a new one`);
  return Buffer.from(seed, 'latin1');
}

function publicKey(bytes: Buffer, file: string): string {
  try {
    return nkeys.fromSeed(seedOf(bytes, file)).getPublicKey();
  } catch (error) {
    if (error instanceof ConfigFault) throw error;
    // The library's own message is not repeated: nothing of the seed may show.
    throw new ConfigFault(`${file} holds a damaged seed: remove it for a new one`);
  }
}

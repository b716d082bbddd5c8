// SPDX-License-Identifier: Apache-2.0
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EVENT_BYTES_MAX } from '@impound/contracts/envelope.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { AcquisitionId, EventId, Sha256, Tenant } from '@impound/contracts/ids.ts';
import * as z from 'zod';
import { jsonOf } from './ask.ts';
import { messageOf } from './fault.ts';
import type { Log } from './log.ts';
import type { Saying } from './say.ts';

/**
 * What was done and is not on record yet, on disk: a process that dies while the ledger is away
 * must not take with it what it did to a target. The next one says it, and signs it.
 */
export interface Spool {
  /** On disk when this resolves. */
  keep(saying: Saying): Promise<void>;
  /** The ledger has answered it. */
  drop(id: string): Promise<void>;
  /** Leaves it where it is, for people: it is not among what is left any more. Gives its file. */
  setAside(id: string): Promise<string | undefined>;
  /** What earlier processes have left, in the order in which it was kept. */
  left(contracts: readonly EventContract[]): Promise<readonly Saying[]>;
}

const Kept = z.object({
  type: z.string(),
  data: z.record(z.string(), z.unknown()),
  id: EventId,
  tenant: Tenant,
  acquisitionId: AcquisitionId,
  causeId: EventId.optional(),
  causeHash: Sha256.optional(),
  traceparent: z.string().optional(),
});

const ENDING = '.json';
/** What the ledger wants signed and nobody can sign. */
const ASIDE = '.unsigned';
const NUMBER_DIGITS = 16;

/** Opens the spool of one service in a folder; several of its processes may share it. */
export async function openSpool(folder: string, log: Pick<Log, 'error'>): Promise<Spool> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let last = 0;
  const next = () => {
    last = Math.max(last + 1, Date.now());
    return String(last).padStart(NUMBER_DIGITS, '0');
  };
  const namesOf = async (id: string) =>
    (await readdir(folder)).filter((name) => name.endsWith(`.${id}${ENDING}`));
  return {
    keep: async (saying) => {
      const { contract, expectedVersion: _meant, ...kept } = saying;
      await writeWhole(
        folder,
        `${next()}.${kept.id}${ENDING}`,
        JSON.stringify({ ...kept, type: contract.type }),
      );
    },
    drop: async (id) => {
      for (const name of await namesOf(id)) await rm(join(folder, name), { force: true });
    },
    setAside: async (id) => {
      const [name] = await namesOf(id);
      if (name === undefined) return undefined;
      const path = join(folder, name.slice(0, -ENDING.length) + ASIDE);
      await rename(join(folder, name), path);
      return path;
    },
    left: async (contracts) => {
      const names = (await readdir(folder)).filter((name) => name.endsWith(ENDING)).toSorted();
      const read = names.map((name) => readOne(join(folder, name), contracts, log));
      return (await Promise.all(read)).filter((one) => one !== undefined);
    },
  };
}

/** It appears whole or not at all, whatever ends the process or the machine. */
async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  const draft = join(folder, `${name}.new`);
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(folder, name));
  const directory = await open(folder, 'r');
  await directory.sync().finally(() => directory.close());
}

/** A file that says nothing that can be said stays where it is, for people to look at. */
async function readOne(
  path: string,
  contracts: readonly EventContract[],
  log: Pick<Log, 'error'>,
): Promise<Saying | undefined> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > 2 * EVENT_BYTES_MAX) throw new RangeError(`${bytes.length} bytes`);
    const { type, ...kept } = Kept.parse(jsonOf(bytes));
    const contract = contracts.find((one) => one.type === type);
    if (contract === undefined) throw new TypeError(`${type} is not said here`);
    return { ...kept, contract, data: contract.shape.parse(kept.data) };
  } catch (error) {
    // Another process of the service may have said it meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    log.error('kept result unreadable', { path, because: messageOf(error) });
    return undefined;
  }
}

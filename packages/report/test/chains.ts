// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { canonical } from '@impound/contracts/canonical.ts';
import { Entry } from '@impound/contracts/entry.ts';
import { leafHash } from '@impound/evidence/verify-chain.ts';
import type { Recorded } from '../src/account.ts';

const CONTRACTS = import.meta.resolve('@impound/contracts/chain.ts');
const CHAINS = new URL('../fixtures/0.1.0/chains/', CONTRACTS);

/** The names of whole chains, one for each way in which an acquisition can end. */
export async function chainNames(): Promise<string[]> {
  return (await readdir(CHAINS)).toSorted();
}

/** A chain by its name; `change` alters what the first event says, whose hash is then another. */
export async function chain(name: string, change: object = {}): Promise<Recorded[]> {
  const { entries } = JSON.parse(await readFile(new URL(name, CHAINS), 'utf8'));
  return (entries as string[]).map((text, at) => {
    const entry = Entry.parse(JSON.parse(text));
    if (at === 0) Object.assign(entry.event.data, change);
    return { entry, leaf: leafHash(Buffer.from(canonical(entry))) };
  });
}

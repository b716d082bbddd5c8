// SPDX-License-Identifier: Apache-2.0
// Bags as whoever runs the ledger hands them out, and bags as a forger makes them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LedgerSignersV1 } from '@impound/contracts/ask/ledger.signers.v1.ts';
import { LedgerStampsV1 } from '@impound/contracts/ask/ledger.stamps.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import { writeBag } from '@impound/evidence/bag.ts';
import { pieces } from '@impound/evidence/testing/specimen.ts';
import { postgresChains } from '@impound/ledger/adapters/postgres-chains.ts';
import { postgresHeads } from '@impound/ledger/adapters/postgres-heads.ts';
import { postgresProofs } from '@impound/ledger/adapters/postgres-proofs.ts';
import { postgresSigners } from '@impound/ledger/adapters/postgres-signers.ts';
import { postgresStamps } from '@impound/ledger/adapters/postgres-stamps.ts';
import { ledgerCheckpoint, publicKeysOf } from '@impound/ledger/handlers/ledger-checkpoint.ts';
import { ledgerHeads } from '@impound/ledger/handlers/ledger-heads.ts';
import { ledgerHistory } from '@impound/ledger/handlers/ledger-history.ts';
import { ledgerProof } from '@impound/ledger/handlers/ledger-proof.ts';
import { ledgerSigners } from '@impound/ledger/handlers/ledger-signers.ts';
import { ledgerStamps } from '@impound/ledger/handlers/ledger-stamps.ts';
import { openLogHeads } from '@impound/ledger/handlers/log-heads.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { readLogKeys } from '@impound/transparency/log-keys.ts';
import { parsePolicy } from '@impound/transparency/policy.ts';
import { isWitnessed } from '@impound/transparency/witnessed.ts';
import type { Client } from '../../cli/src/client.ts';
import { logProofs } from '../../cli/src/log-proofs.ts';
import type { Told } from './story.ts';

const tenant = 'default' as never;
const EXPORT_MS_MAX = 280_000;

/** What is exported, by whose keys, under which policy (a file). */
export interface Exporting {
  readonly told: Told;
  readonly secret: string;
  readonly policy: string;
  /** Of an authority of time, in PEM. */
  readonly certificates?: string;
}

/** Writes a bag from what a database holds, as its ledger would answer. */
export async function exportBag(
  sql: Database,
  { told, secret, policy, certificates }: Exporting,
  directory: string,
): Promise<void> {
  const signal = AbortSignal.timeout(EXPORT_MS_MAX);
  const wanted = parsePolicy(await readFile(policy, 'utf8'));
  const proofs = postgresProofs(sql, (notes) => isWitnessed(wanted, notes));
  const publicKeys = publicKeysOf(readLogKeys(secret), wanted);
  const acquisitionId = told.acquisitionId as never;
  const headsBook = postgresHeads(sql);
  const heads = openLogHeads(headsBook);
  const get = async (path: string): Promise<unknown> => {
    const { pathname, searchParams } = new URL(path, 'http://ledger');
    if (pathname === '/v1/log') return ledgerCheckpoint({}, { proofs, publicKeys });
    if (pathname === '/v1/log/stamps') {
      const asked = LedgerStampsV1.request.parse(numbersIn(searchParams));
      return ledgerStamps(asked, { proofs, stamps: postgresStamps(sql), certificates });
    }
    if (pathname === '/v1/log/signers') {
      const asked = LedgerSignersV1.request.parse(numbersIn(searchParams));
      return ledgerSigners(asked, { proofs, signers: postgresSigners(sql) });
    }
    const [after = 0, size = 0] = ['after', 'size'].map((name) => Number(searchParams.get(name)));
    if (pathname.endsWith('/head')) {
      return ledgerHeads({ tenant, acquisitionId, size }, { proofs, heads, headsBook });
    }
    return ledgerProof({ tenant, acquisitionId, after, size }, { proofs });
  };
  const asked = { tenant, acquisitionId, after: 0 };
  const { entries } = await ledgerHistory(asked, { chains: postgresChains(sql) });
  const chain = Buffer.from(entries.map(({ text }) => `${text}\n`).join(''));
  const of = { acquisitionId, entries: entries.length };
  const content = {
    objects: told.evidence.map((one) => ({ ...one, content: pieces(one.content) })),
    chain: pieces(chain),
    log: () => logProofs({ get } as Client, of, signal),
    info: {},
  };
  await rm(directory, { recursive: true, force: true });
  await writeBag(directory, content, signal);
}

function numbersIn(query: URLSearchParams): Record<string, number> {
  return Object.fromEntries([...query].map(([name, value]) => [name, Number(value)]));
}

/** Changes the text of a file of a bag, byte for byte; it must be another one then. */
export type Change = (text: string) => string;

/** A copy of a bag in which files say something else, and all lists of digests fit again. */
export async function forgedBag(
  bag: string,
  name: string,
  changes: Readonly<Record<string, Change | undefined>>,
): Promise<string> {
  const copy = `${bag}-${name}`;
  await rm(copy, { recursive: true, force: true });
  await cp(bag, copy, { recursive: true });
  for (const [file, change] of Object.entries(changes)) {
    const path = join(copy, file);
    const text = await readFile(path, 'latin1');
    if (change === undefined) await rm(path);
    else {
      assert.ok(change(text) !== text, `${file} is as it was`);
      await writeFile(path, change(text), 'latin1');
    }
  }
  await relist(copy);
  return copy;
}

/** Makes the lists of digests of a bag anew: whoever can change a file can change these. */
export async function relist(bag: string): Promise<void> {
  for (const list of ['manifest-sha256.txt', 'tagmanifest-sha256.txt']) {
    const lines = (await readFile(join(bag, list), 'utf8')).trimEnd().split('\n');
    const made = lines.map(async (line) => {
      const [, path = ''] = line.split('  ');
      const bytes = await readFile(join(bag, path)).catch(() => undefined);
      if (bytes === undefined) return [];
      return [`${createHash('sha256').update(bytes).digest('hex')}  ${path}\n`];
    });
    await writeFile(join(bag, list), (await Promise.all(made)).flat().join(''));
  }
}

/** The files of a bag that hold the checkpoint, each byte for byte the same. */
export async function noteFiles(bag: string): Promise<readonly string[]> {
  const entries = await readdir(join(bag, 'custody/entries'));
  const proofs = entries.filter((name) => /\.(tlog-proof|spicy)$/.test(name));
  return ['custody/checkpoint', ...proofs.map((name) => `custody/entries/${name}`)];
}

/** The same change to many files. */
export function toAll(files: readonly string[], change: Change): Record<string, Change> {
  return Object.fromEntries(files.map((file) => [file, change]));
}

/** The entries of a bag's chain, as text. */
export async function chainOf(bag: string): Promise<string[]> {
  return (await readFile(join(bag, 'custody/chain.jsonl'), 'utf8')).trimEnd().split('\n');
}

/** Links entries anew, so that each names the hash of the one before, and the seal the last. */
export function rechained(texts: readonly string[]): string[] {
  let acqPrev = '';
  return texts.map((text, at) => {
    const entry = JSON.parse(text);
    entry.acqSeq = at + 1;
    entry.acqPrev = acqPrev || entry.acqPrev;
    if (entry.event.type === 'acquisition.sealed.v1') {
      Object.assign(entry.event.data, { entries: at, lastEntry: acqPrev });
    }
    const made = canonical(entry);
    acqPrev = leafHash(Buffer.from(made)).toString('hex');
    return made;
  });
}

/** A copy of a bag with another chain; proofs and seal are what they were. */
export async function withChain(bag: string, name: string, texts: readonly string[]) {
  const copy = await forgedBag(bag, name, {
    'custody/chain.jsonl': () => Buffer.from(`${texts.join('\n')}\n`).toString('latin1'),
  });
  for (const [at, text] of texts.entries()) {
    const file = `custody/entries/${String(at + 1).padStart(6, '0')}.json`;
    await writeFile(join(copy, file), text);
    const isSeal = text.includes('"type":"acquisition.sealed.v1"');
    if (isSeal) await writeFile(join(copy, 'custody/seal/seal.json'), text);
  }
  await relist(copy);
  return copy;
}

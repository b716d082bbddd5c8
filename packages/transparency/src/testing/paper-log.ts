// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { formatCheckpoint } from '../checkpoint.ts';
import { EMPTY_ROOT, leafHash } from '../hash.ts';
import { noteSigner, signNote } from '../note.ts';
import { consistencyPath } from '../proof.ts';
import { sigsumVkey } from '../sigsum.ts';
import { rangeRoots } from '../tile-reader.ts';
import { EMPTY_TREE, grow } from '../tree.ts';
import { KEY_TYPES, rawPublicKey, type Vkey, vkey } from '../vkey.ts';
import { tilesInMemory } from './naive.ts';

/** A log in memory, for whoever reads logs: it signs whatever it is told to. */
export interface PaperLog {
  readonly vkey: Vkey;
  readonly privateKey: KeyObject;
  readonly entries: readonly Buffer[];
  note(size: number): Promise<string>;
  consistency(from: number, to: number): Promise<readonly Buffer[]>;
}

/** A log under a name; under 'sigsum', the one that is made of its key. `of` lends its key. */
export function paperLog(name: string, entries: readonly Buffer[], of?: PaperLog): PaperLog {
  const privateKey = of?.privateKey ?? generateKeyPairSync('ed25519').privateKey;
  const key = rawPublicKey(privateKey);
  const known = name === 'sigsum' ? sigsumVkey(key) : vkey(name, KEY_TYPES.note, key);
  const roots = (size: number) => {
    const { tree, tiles } = grow(EMPTY_TREE, entries.slice(0, size).map(leafHash));
    return rangeRoots(tilesInMemory(tiles, tree), size);
  };
  return {
    vkey: known,
    privateKey,
    entries,
    note: async (size) => {
      const root = size === 0 ? EMPTY_ROOT : await roots(size)(0, size);
      const text = formatCheckpoint({ origin: known.name, size: BigInt(size), root });
      return signNote(text, [noteSigner(known, privateKey)]);
    },
    consistency: (from, to) => consistencyPath(roots(to), from, to),
  };
}

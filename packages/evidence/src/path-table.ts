// SPDX-License-Identifier: Apache-2.0
import { hash, randomBytes } from 'node:crypto';

const EMPTY = 0;
/** A directory that is only known as the parent of something. */
const PARENT = 1;
const DIRECTORY = 2;
const LEAF = 3;
const SLASH = 0x2f;
const SLOTS_FIRST = 1_024;

/** What adding gave; `conflict`: beneath a file or link, or in the place of a directory. */
export type Added = 'new' | 'duplicate' | 'conflict' | 'full';

/** Remembers the names in one archive without keeping them. */
export interface PathTable {
  add(name: Buffer, kind: 'directory' | 'leaf'): Added;
}

interface Slots {
  readonly keys: Uint32Array;
  readonly kinds: Uint8Array;
  readonly mask: number;
}

/**
 * A table of at most `namesMax` names, parents included, in 13 bytes per slot: 96 bits of a
 * SHA-256 keyed at random, so that nobody can prepare names that fall together.
 */
export function pathTable(namesMax: number): PathTable {
  const table: Table = {
    key: randomBytes(16).toString('latin1'),
    slots: slotsOf(SLOTS_FIRST),
    count: 0,
    namesMax,
  };
  return {
    add: (name, kind) => {
      const digest = digestOf(table, name);
      const known = kindOf(table, digest);
      if (known === LEAF || known === DIRECTORY) return 'duplicate';
      if (known === PARENT && kind === 'leaf') return 'conflict';
      const parents = addParents(table, name);
      if (parents !== 'new') return parents;
      return put(table, digest, kind === 'leaf' ? LEAF : DIRECTORY);
    },
  };
}

interface Table {
  readonly key: string;
  readonly namesMax: number;
  slots: Slots;
  count: number;
}

function digestOf(table: Table, name: Buffer): Uint32Array {
  const keyed = Buffer.from(table.key + name.toString('latin1'), 'latin1');
  const digest = hash('sha256', keyed, 'buffer');
  return Uint32Array.of(digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8));
}

function kindOf({ slots }: Table, digest: Uint32Array): number {
  return slots.kinds[find(slots, digest)] ?? EMPTY;
}

function put(table: Table, digest: Uint32Array, kind: number): Added {
  if (kindOf(table, digest) === EMPTY) table.count += 1;
  if (table.count > table.namesMax) return 'full';
  if (table.count * 5 >= table.slots.kinds.length * 4) table.slots = grown(table.slots);
  const slot = find(table.slots, digest);
  table.slots.keys.set(digest, slot * 3);
  table.slots.kinds[slot] = kind;
  return 'new';
}

/**
 * Walks up until it meets a directory: whatever lies above that is known already. Nothing is
 * added beneath a leaf, or the next name there would meet a directory.
 */
function addParents(table: Table, name: Buffer): Added {
  const unknown: Uint32Array[] = [];
  for (const parent of parentsOf(name)) {
    const digest = digestOf(table, parent);
    const kind = kindOf(table, digest);
    if (kind === LEAF) return 'conflict';
    if (kind !== EMPTY) break;
    unknown.push(digest);
  }
  const added = unknown.map((digest) => put(table, digest, PARENT));
  return added.includes('full') ? 'full' : 'new';
}

function* parentsOf(name: Buffer): Generator<Buffer> {
  for (let end = name.lastIndexOf(SLASH); end > 0; end = name.lastIndexOf(SLASH, end - 1)) {
    yield name.subarray(0, end);
  }
}

function slotsOf(length: number): Slots {
  return { keys: new Uint32Array(length * 3), kinds: new Uint8Array(length), mask: length - 1 };
}

function find(slots: Slots, digest: Uint32Array): number {
  let slot = (digest[0] ?? 0) & slots.mask;
  while (slots.kinds[slot] !== EMPTY && !same(slots.keys, slot * 3, digest)) {
    slot = (slot + 1) & slots.mask;
  }
  return slot;
}

function same(keys: Uint32Array, at: number, digest: Uint32Array): boolean {
  return keys[at] === digest[0] && keys[at + 1] === digest[1] && keys[at + 2] === digest[2];
}

function grown(old: Slots): Slots {
  const bigger = slotsOf(old.kinds.length * 2);
  for (let slot = 0; slot < old.kinds.length; slot += 1) {
    if (old.kinds[slot] === EMPTY) continue;
    const digest = old.keys.subarray(slot * 3, slot * 3 + 3);
    const to = find(bigger, digest);
    bigger.keys.set(digest, to * 3);
    bigger.kinds[to] = old.kinds[slot] ?? EMPTY;
  }
  return bigger;
}

// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '@impound/runtime/fault.ts';
import { readCosignature } from '@impound/transparency/cosignature.ts';
import { sha256 } from '@impound/transparency/hash.ts';
import { type Note, parseNote, verifyNote } from '@impound/transparency/note.ts';
import { ProofFault } from '@impound/transparency/proof-fault.ts';
import type { Vkey } from '@impound/transparency/vkey.ts';
import type { FsckFinding, KeptAnchor, KeptCosignature } from './fsck-ports.ts';

/** A stamp as the log has it on record. */
export interface Stamped {
  readonly idx: number;
  readonly size: number;
  readonly noteSha256: string;
  readonly tokenSha256: string;
}

/** Throws where a token is none of these bytes by a trusted authority. */
export type StampCheck = (token: Buffer, note: Buffer) => Promise<unknown>;

type Add = (finding: FsckFinding) => void;

/**
 * Holds a witness's line against the checkpoint below which it is kept. Gives whether a known key
 * has made it.
 */
export function checkCosignature(
  kept: KeptCosignature,
  text: string | undefined,
  witnesses: readonly Vkey[],
  add: Add,
): boolean {
  const { size, head, witness, line, atMs } = kept;
  const name = `cosignature of ${witness} on ${size} (${head})`;
  const wrong = (what: string): false => {
    add({ class: 'cosignature', idx: size, what: `${name}: ${what}` });
    return false;
  };
  if (text === undefined) return wrong('there is no checkpoint that it is of');
  try {
    const note = parseNote(Buffer.from(`${text}\n${line}`, 'utf8'));
    const time = timeOf(note, witness);
    if (time === undefined) return wrong('it is no cosignature by that name');
    if (time !== Math.floor(atMs / 1_000)) {
      add({ class: 'index', idx: size, what: `${name}: it says ${time}, its row another time` });
    }
    if (!witnesses.some((key) => key.name === witness)) return false;
    verifyNote(note, witnesses);
    return true;
  } catch (error) {
    if (!(error instanceof ProofFault)) throw error;
    return wrong(error.message);
  }
}

function timeOf({ signatures }: Note, witness: string): number | undefined {
  const [one, ...more] = signatures;
  if (one?.name !== witness || more.length > 0) return undefined;
  const read = readCosignature(one.signature);
  return read === undefined ? undefined : Number(read.time);
}

/** Holds a token against the checkpoint that it is of. Gives whether its authority is trusted. */
export async function checkAnchor(
  { size, head, authority, note, token }: KeptAnchor,
  text: string | undefined,
  check: StampCheck | undefined,
  add: Add,
): Promise<boolean> {
  const name = `stamp of ${authority} on ${size} (${head})`;
  const wrong = (what: string): false => {
    add({ class: 'stamp', idx: size, what: `${name}: ${what}` });
    return false;
  };
  const bytes = Buffer.from(note, 'utf8');
  if (textOf(bytes) !== text) return wrong('it was made for another checkpoint');
  // An imprint stands in the token as it is, whoever has signed it.
  if (!token.includes(sha256(bytes))) return wrong('it is of other bytes than are kept');
  try {
    await check?.(token, bytes);
    return check !== undefined;
  } catch (error) {
    return wrong(messageOf(error));
  }
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return parseNote(bytes).text;
  } catch {
    return undefined;
  }
}

/**
 * Each stamp on record has its token, and each token but the newest is on record: it is kept first
 * and said then.
 */
export function pairStamps(said: readonly Stamped[], kept: readonly KeptAnchor[], add: Add): void {
  const names = kept.map(({ size, note, token }) => {
    const [noteSha256, tokenSha256] = [sha256(Buffer.from(note)), sha256(token)];
    return `${size} ${noteSha256.toString('hex')} ${tokenSha256.toString('hex')}`;
  });
  const onRecord = new Set(said.map((one) => `${one.size} ${one.noteSha256} ${one.tokenSha256}`));
  const held = new Set(names);
  for (const { idx, size, noteSha256, tokenSha256 } of said) {
    if (held.has(`${size} ${noteSha256} ${tokenSha256}`)) continue;
    add({ class: 'stamp', idx, what: `the token over ${size} that it names is not kept` });
  }
  for (const [at, { size, authority }] of kept.entries()) {
    if (at === kept.length - 1 || onRecord.has(names[at] ?? '')) continue;
    add({ class: 'stamp', idx: size, what: `the token of ${authority} is not on record` });
  }
}

// SPDX-License-Identifier: Apache-2.0
import { fromBase64 } from './base64.ts';
import { fromDecimal } from './decimal.ts';
import { type Note, parseNote, type Verified, verifyNote } from './note.ts';
import { ProofFault } from './proof-fault.ts';
import { KEY_TYPES, type Vkey } from './vkey.ts';

/** What a log commits to: how many leaves it has and the root over them (C2SP tlog-checkpoint). */
export interface Checkpoint {
  readonly origin: string;
  readonly size: bigint;
  readonly root: Buffer;
}

/** A checkpoint that the log's own key has signed, and who else. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly note: Note;
  readonly verified: readonly Verified[];
}

const ROOT_BYTES = 32;

/** The three lines that are signed. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** Reads the text of a checkpoint. Throws ProofFault `checkpoint-malformed`. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', decimal = '', encoded = '', ...rest] = text.split('\n');
  if (origin === '') throw malformed('it has no origin');
  const size = fromDecimal(decimal);
  if (size === undefined) throw malformed('its second line is no size');
  const root = fromBase64(encoded);
  if (root?.length !== ROOT_BYTES) throw malformed('its third line is no root hash');
  if (rest.pop() !== '' || rest.includes('')) throw malformed('an empty line, or no last newline');
  return { origin, size, root };
}

/**
 * Reads a checkpoint and verifies it by the keys of its log and of witnesses. Throws ProofFault;
 * `signature-missing` also where only others than the log have signed.
 */
export function openCheckpoint(bytes: Uint8Array, keys: readonly Vkey[]): OpenedCheckpoint {
  const note = parseNote(bytes);
  const checkpoint = parseCheckpoint(note.text);
  const verified = verifyNote(note, keys);
  const own = verified.some(
    ({ key }) => key.type === KEY_TYPES.note && key.name === checkpoint.origin,
  );
  if (own) return { ...checkpoint, note, verified };
  throw new ProofFault('signature-missing', 'no known key of its log has signed the checkpoint');
}

function malformed(why: string): ProofFault {
  return new ProofFault('checkpoint-malformed', `no checkpoint: ${why}`);
}

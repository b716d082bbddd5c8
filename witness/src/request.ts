// SPDX-License-Identifier: Apache-2.0
import { fromBase64 } from '@impound/transparency/base64.ts';
import { type Checkpoint, parseCheckpoint } from '@impound/transparency/checkpoint.ts';
import { fromDecimal } from '@impound/transparency/decimal.ts';
import { NOTE_BYTES_MAX, type Note, parseNote } from '@impound/transparency/note.ts';

/** Hashes of a proof that a client may send (C2SP tlog-witness). */
const PROOF_LINES_MAX = 63;
const LINE_BYTES_MAX = 64;

/** No request is longer. */
export const REQUEST_BYTES_MAX: number = NOTE_BYTES_MAX + (PROOF_LINES_MAX + 2) * LINE_BYTES_MAX;

/** What a log sends: how far it believes that we have seen it, and where it stands now. */
export interface AddCheckpoint {
  readonly old: bigint;
  readonly path: readonly Buffer[];
  readonly note: Note;
  readonly checkpoint: Checkpoint;
}

/** Reads the body of add-checkpoint. Undefined where it is none; throws ProofFault of the note. */
export function readAddCheckpoint(body: Buffer): AddCheckpoint | undefined {
  const split = body.indexOf('\n\n');
  if (split < 0 || split > (PROOF_LINES_MAX + 1) * LINE_BYTES_MAX) return undefined;
  const [first = '', ...lines] = body.subarray(0, split).toString('latin1').split('\n');
  const old = first.startsWith('old ') ? fromDecimal(first.slice('old '.length)) : undefined;
  const path = lines.map(fromBase64).filter((hash) => hash?.length === 32);
  if (old === undefined || lines.length > PROOF_LINES_MAX) return undefined;
  if (path.length !== lines.length) return undefined;
  const note = parseNote(body.subarray(split + 2));
  return { old, path: path as Buffer[], note, checkpoint: parseCheckpoint(note.text) };
}

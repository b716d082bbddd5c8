// SPDX-License-Identifier: Apache-2.0
import { fromBase64 } from './base64.ts';
import { type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts';
import { fromDecimal } from './decimal.ts';
import { HASH_BYTES, leafHash } from './hash.ts';
import { NOTE_BYTES_MAX } from './note.ts';
import { PATH_MAX, verifyInclusion } from './proof-check.ts';
import { ProofFault } from './proof-fault.ts';
import type { Vkey } from './vkey.ts';

/** The first line of a proof of C2SP tlog-proof. */
export const TLOG_PROOF_HEADER = 'c2sp.org/tlog-proof@v1';

/** That an entry stands in a log, for whoever has the entry and the keys, and nothing else. */
export interface TlogProof {
  readonly index: bigint;
  /** From the leaf's sibling up to the root's child. */
  readonly path: readonly Buffer[];
  /** The checkpoint with its signatures, as the log gave it. */
  readonly note: string;
}

const HEAD_BYTES_MAX = 8_192;
const EXTRA = 'extra ';
const INDEX = 'index ';

/** The proof without its first line, which is how spicy signatures began. */
export function formatSpicy({ index, path, note }: TlogProof): string {
  const hashes = path.map((one) => `${one.toString('base64')}\n`);
  return `${INDEX}${index}\n${hashes.join('')}\n${note}`;
}

/** The text of a .tlog-proof file. */
export function formatTlogProof(proof: TlogProof): string {
  return `${TLOG_PROOF_HEADER}\n${formatSpicy(proof)}`;
}

/** Reads a proof in either form. Throws ProofFault `proof-malformed`. */
export function parseTlogProof(bytes: Uint8Array): TlogProof {
  if (bytes.length > NOTE_BYTES_MAX + HEAD_BYTES_MAX) throw malformed('too long');
  const text = Buffer.from(bytes).toString('utf8');
  const end = text.indexOf('\n\n');
  if (end < 0 || end > HEAD_BYTES_MAX) throw malformed('no empty line ends its path');
  const lines = text.slice(0, end).split('\n');
  if (lines[0] === TLOG_PROOF_HEADER) {
    lines.shift();
    if (lines[0]?.startsWith(EXTRA)) checkExtra(lines.shift() ?? '');
  }
  const [first = '', ...hashes] = lines;
  const index = first.startsWith(INDEX) ? fromDecimal(first.slice(INDEX.length)) : undefined;
  if (index === undefined) throw malformed('no line says its index');
  if (hashes.length > PATH_MAX) throw malformed(`more than ${PATH_MAX} hashes`);
  return { index, path: hashes.map(hashOf), note: text.slice(end + 2) };
}

/** Nobody has signed what stands there, so nothing is made of it. */
function checkExtra(line: string): void {
  if (fromBase64(line.slice(EXTRA.length)) === undefined) throw malformed('its extra line is none');
}

function hashOf(line: string, at: number): Buffer {
  const bytes = fromBase64(line);
  if (bytes?.length === HASH_BYTES) return bytes;
  throw malformed(`hash ${at + 1} of its path is none`);
}

/** Verifies that a proof is about these bytes and that its log has signed. Throws ProofFault. */
export function verifyTlogProof(
  proof: TlogProof,
  entry: Uint8Array,
  keys: readonly Vkey[],
): OpenedCheckpoint {
  const checkpoint = openCheckpoint(Buffer.from(proof.note), keys);
  const { size, root } = checkpoint;
  verifyInclusion({ index: proof.index, path: proof.path, size, root, leaf: leafHash(entry) });
  return checkpoint;
}

function malformed(why: string): ProofFault {
  return new ProofFault('proof-malformed', `no proof of a log: ${why}`);
}

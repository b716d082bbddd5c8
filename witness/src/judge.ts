// SPDX-License-Identifier: Apache-2.0
import type { Checkpoint } from '@impound/transparency/checkpoint.ts';
import { EMPTY_ROOT } from '@impound/transparency/hash.ts';
import { type Verified, verifyNote } from '@impound/transparency/note.ts';
import { verifyConsistency } from '@impound/transparency/proof-check.ts';
import { ProofFault } from '@impound/transparency/proof-fault.ts';
import type { Vkey } from '@impound/transparency/vkey.ts';
import { type AddCheckpoint, readAddCheckpoint } from './request.ts';

/** The last checkpoint of a log that was cosigned. */
export type Seen = Pick<Checkpoint, 'size' | 'root'>;

/** What is known of logs when a request comes. */
export interface Known {
  readonly logs: readonly Vkey[];
  seen(origin: string): Seen | undefined;
}

/** A request that is refused, by the statuses of C2SP tlog-witness. */
export interface Refused {
  readonly status: 400 | 403 | 404 | 409 | 422;
  /** Said to the client; after 409 the size that we hold. */
  readonly because: string;
}

/** A checkpoint that may be cosigned, and the signatures of its log that were verified. */
export interface Accepted extends AddCheckpoint {
  readonly status: 200;
  readonly verified: readonly Verified[];
}

/**
 * Whether a checkpoint may be cosigned: known log, its signature, no step back, and a proof that
 * what was seen is the beginning of what is shown now. In the order that tlog-witness asks for.
 */
export function judge(body: Buffer, known: Known): Accepted | Refused {
  try {
    const request = readAddCheckpoint(body);
    if (request === undefined) return refused(400, 'no add-checkpoint request');
    const keys = known.logs.filter(({ name }) => name === request.checkpoint.origin);
    if (keys.length === 0) return refused(404, 'this log is not known here');
    const verified = verifyNote(request.note, keys);
    const wrong = againstSeen(request, known.seen(request.checkpoint.origin));
    return wrong ?? { ...request, status: 200, verified };
  } catch (fault) {
    if (!(fault instanceof ProofFault)) throw fault;
    return refused(STATUS[fault.code] ?? 400, fault.message);
  }
}

const STATUS: Partial<Record<ProofFault['code'], Refused['status']>> = {
  'signature-missing': 403,
  'signature-refused': 403,
  'proof-refused': 422,
};

function againstSeen({ old, path, checkpoint }: AddCheckpoint, seen: Seen | undefined) {
  if (old > checkpoint.size) return refused(400, 'the old size is larger than the checkpoint');
  const from = seen ?? { size: 0n, root: EMPTY_ROOT };
  if (old !== from.size) return refused(409, String(from.size));
  verifyConsistency({ from, to: checkpoint, path });
  return undefined;
}

function refused(status: Refused['status'], because: string): Refused {
  return { status, because };
}

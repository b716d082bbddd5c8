// SPDX-License-Identifier: Apache-2.0
import { signedBy } from '@impound/contracts/statement-check.ts';
import { entryIn, type Stated, signerChangeIn, statedIn } from '@impound/evidence/statements.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { signedText } from '@impound/transparency/signed-text.ts';

/** One leaf of the log. */
export interface Leaf {
  readonly idx: number;
  readonly bytes: Buffer;
}

/** Judges leaves in the order of the log, a piece at a time. */
export interface StatementJudge {
  /** How many leaves it has seen: the next one has this index. */
  next: number;
  /** How many entries were signed as they must be. */
  signed: number;
  /** Keys that count, by `service key`. */
  readonly live: Set<string>;
  /** Hashes of entries by the ids of their events. */
  readonly causes: Map<string, string>;
}

export function newStatementJudge(): StatementJudge {
  return { next: 0, signed: 0, live: new Set(), causes: new Map() };
}

/** Each entry that is to be signed is: by a key that counts there, because of what came before. */
export function judgeStatements(judge: StatementJudge, leaves: readonly Leaf[]): string[] {
  return leaves.flatMap(({ idx, bytes }) => {
    const stated = statedIn(bytes);
    const fault = stated === undefined ? changeFault(judge, bytes) : faultOf(judge, stated);
    if (stated !== undefined && fault === undefined) judge.signed += 1;
    const event = entryIn(bytes)?.event;
    if (event !== undefined) judge.causes.set(event.id, leafHash(bytes).toString('hex'));
    judge.next = idx + 1;
    return fault === undefined ? [] : [`entry ${idx}: ${fault}`];
  });
}

/** Takes what an entry says of who signs; a key counts once, until it is retired, once. */
function changeFault({ live }: StatementJudge, bytes: Buffer): string | undefined {
  const change = signerChangeIn(bytes);
  if (change === undefined) return undefined;
  const name = `${change.service} ${change.publicKey}`;
  if (change.registered === undefined) {
    return live.delete(name) ? undefined : `${name} is retired and did not count`;
  }
  if (live.has(name)) return `${name} is registered twice`;
  live.add(name);
  return undefined;
}

function faultOf({ live, causes }: StatementJudge, { service, read }: Stated): string | undefined {
  if (read === undefined) return `${service} has not signed it`;
  if (typeof read === 'string') return read;
  const { id, entryHash } = read.payload.predicate.cause;
  if (causes.get(id) !== entryHash) return 'what it says to be its cause does not stand before it';
  const own = [...live].filter((one) => one.startsWith(`${service} `));
  const keys = own.map((one) => one.slice(service.length + 1));
  return signedBy(read, keys, signedText)
    ? undefined
    : `signed by no key of ${service} that counts`;
}

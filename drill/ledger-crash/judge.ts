// SPDX-License-Identifier: Apache-2.0
import type { SayReply } from '@impound/contracts/say.ts';

/** Where an event stands in the database. */
export interface Place {
  readonly idx: number;
  /** Of its entry, lower-case hex. */
  readonly hash: string;
  readonly version: number;
  readonly eventId: string;
}

/** What speakers, the database and the stream know after something broke. */
export interface Seen {
  /** Ids of all that was said. */
  readonly said: ReadonlySet<string>;
  readonly answers: ReadonlyMap<string, readonly SayReply[]>;
  /** What is on record and was said by others than the ledger, or is under an id that was said. */
  readonly places: readonly Place[];
  /** Hashes of what the stream holds, by their index in the log. */
  readonly told: ReadonlyMap<number, string>;
}

/** Nothing lost after an answer, nothing doubled, nothing made up, everything told. */
export function judge({ said, answers, places, told }: Seen): readonly string[] {
  const byId = Map.groupBy(places, ({ eventId }) => eventId);
  const findings = [...said].flatMap((id) => {
    const own = byId.get(id) ?? [];
    if (own.length !== 1) return [`event ${id} is on record ${own.length} times`];
    return judgeAnswers(id, answers.get(id) ?? [], own[0] as Place);
  });
  for (const { eventId, idx } of places) {
    if (!said.has(eventId)) findings.push(`event ${eventId} at ${idx} was said by nobody`);
  }
  for (const { idx, hash } of places) {
    const heard = told.get(idx);
    if (heard === undefined) findings.push(`entry ${idx} was not told`);
    else if (heard !== hash) findings.push(`entry ${idx} was told as ${heard}, it is ${hash}`);
  }
  return findings;
}

function judgeAnswers(id: string, answers: readonly SayReply[], place: Place): string[] {
  if (answers.length === 0) return [`event ${id} was never answered`];
  return answers.flatMap((answer) => {
    if (!answer.ok) return [`event ${id} was refused: ${answer.because}`];
    const { seq, version, entryHash } = answer;
    const same = seq === place.idx && version === place.version && entryHash === place.hash;
    return same ? [] : [`event ${id} was answered ${seq}, and stands at ${place.idx}`];
  });
}

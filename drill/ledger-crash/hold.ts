// SPDX-License-Identifier: Apache-2.0
import { LedgerCheckpointV1 } from '@impound/contracts/ask/ledger.checkpoint.v1.ts';
import { ENTRY_HASH, SayReply, SEQ } from '@impound/contracts/say.ts';
import { STREAM } from '@impound/contracts/streams.ts';
import { inSnapshot } from '@impound/ledger/adapters/postgres-fsck.ts';
import { fsck } from '@impound/ledger/handlers/fsck.ts';
import { asker } from '@impound/runtime/ask.ts';
import { wait } from '@impound/runtime/wait.ts';
import { type Checkpoint, openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { inTurns } from '../fleet/in-turns.ts';
import { signedAmong, unsignedSpeech } from './acquisitions.ts';
import { judge, type Place } from './judge.ts';
import { judgeStatements, newStatementJudge, type StatementJudge } from './judge-statements.ts';
import type { Speech } from './speaker.ts';
import type { Stand } from './stand.ts';

/** What an auditor keeps while a drill goes on. */
export interface Kept {
  /** Every checkpoint that was ever handed out. */
  readonly checkpoints: Checkpoint[];
  /** Hashes of what the stream told, by index in the log, and up to where it was read. */
  readonly told: Map<number, string>;
  streamSeq: number;
  /** What was seen of signatures, as far as the log was read. */
  readonly statements: StatementJudge;
}

export function newKept(): Kept {
  return { checkpoints: [], told: new Map(), streamSeq: 0, statements: newStatementJudge() };
}

const LOOK_MS = 20;
const ANSWER_MS_MAX = 1_000;
/** More would be said a second time before they are answered, where a machine is busy. */
const AT_ONCE = 64;

/**
 * Holds everything there is against what was answered: says all again, waits until it is signed and
 * told, makes the log again from its bytes, checks what services have signed, and says something
 * unsigned, which is not to be taken. Gives what is not as promised.
 */
export async function hold(
  stand: Stand,
  kept: Kept,
  speeches: readonly Speech[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { speaker } = stand;
  let size = 0;
  await inTurns(speeches, AT_ONCE, async (speech) => {
    const reply = await speaker.say(speech, signal);
    if (reply.ok) size = Math.max(size, reply.seq + 1);
  });
  kept.checkpoints.push(await signedFrom(stand, size, signal));
  await toldUpTo(stand, kept, size, signal);
  const places = await placesOf(stand);
  const { told, checkpoints: known } = kept;
  const outside = { keys: stand.vkeys, known };
  const report = await inSnapshot(stand.sql, (log) => fsck(log, outside, () => undefined, signal));
  const unfit = report.findings.map((one) => `fsck: ${one.class} at ${one.idx}: ${one.what}`);
  const stated = await statedIn(stand, kept.statements);
  const refused = await unsignedTaken(stand, signal);
  return [...judge({ ...speaker, places, told }), ...unfit, ...stated, ...refused];
}

async function statedIn({ sql, speaker }: Stand, seen: StatementJudge): Promise<string[]> {
  const rows = await sql`
    select idx, entry from ledger_entry where idx >= ${seen.next} order by idx`;
  const leaves = rows.map(({ idx, entry }) => ({ idx: Number(idx), bytes: entry as Buffer }));
  const findings = judgeStatements(seen, leaves);
  const all = signedAmong(speaker.said.size);
  return seen.signed === all ? findings : [...findings, `${seen.signed} of ${all} are signed`];
}

/** Whatever it came back from, a ledger takes nothing unsigned that somebody has to sign. */
async function unsignedTaken({ connection }: Stand, signal: AbortSignal): Promise<string[]> {
  const { subject, bytes } = unsignedSpeech();
  for (;;) {
    const asked = { timeout: ANSWER_MS_MAX };
    const message = await connection.request(subject, bytes, asked).catch(() => undefined);
    if (message !== undefined) {
      const reply = SayReply.parse(message.json());
      const isRefused = !reply.ok && reply.refusal === 'forbidden';
      return isRefused ? [] : [`what nobody had signed was answered ${message.string()}`];
    }
    await wait(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

/** A checkpoint over all that was answered, as anybody may ask for it. */
async function signedFrom(stand: Stand, size: number, signal: AbortSignal): Promise<Checkpoint> {
  const ask = asker(stand.connection);
  for (;;) {
    // What reads may just have lost its connection: it says so, and reads on another one.
    const asked = await ask(LedgerCheckpointV1, {}, signal).catch(() => undefined);
    const checkpoint = asked?.checkpoint;
    if (checkpoint !== undefined && checkpoint.size >= size) {
      return openCheckpoint(Buffer.from(checkpoint.own, 'utf8'), stand.vkeys);
    }
    await wait(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

async function toldUpTo(
  { connection }: Stand,
  kept: Kept,
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  for (;;) {
    // A bus that has just come back may not answer yet.
    await readTold(manager, kept).catch(() => undefined);
    if (kept.told.has(size - 1)) return;
    await wait(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

async function readTold({ streams }: JetStreamManager, kept: Kept): Promise<void> {
  const { state } = await streams.info(STREAM.name);
  while (kept.streamSeq < state.last_seq) {
    const seq = kept.streamSeq + 1;
    const message = await streams.getMessage(STREAM.name, { seq });
    if (message !== null) {
      kept.told.set(Number(message.header.get(SEQ)), message.header.get(ENTRY_HASH));
    }
    kept.streamSeq = seq;
  }
}

/** All entries but those in which the log speaks of itself. */
async function placesOf({ sql }: Stand): Promise<Place[]> {
  const rows = await sql`
    select idx, encode(leaf, 'hex') as hash, acq_seq, event_id from ledger_entry
    where event_id is not null and speaker <> 'ledger' order by idx`;
  return rows.map((row) => ({
    idx: Number(row['idx']),
    hash: String(row['hash']),
    version: Number(row['acq_seq']),
    eventId: String(row['event_id']),
  }));
}

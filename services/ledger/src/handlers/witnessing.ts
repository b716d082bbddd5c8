// SPDX-License-Identifier: Apache-2.0
import { messageOf, Never } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import { backoffMs, wait } from '@impound/runtime/wait.ts';
import type { Head } from './checkpointing.ts';
import { behindOutside, type OutsideBook, rewritten } from './outside.ts';
import { openRound, type Round } from './witness-round.ts';

/** What a witness is shown. */
export interface Shown {
  readonly old: number;
  readonly path: readonly Buffer[];
  readonly note: string;
}

/** A cosignature, the size that the witness holds instead, or that what it is shown cannot be. */
export type Witnessed =
  | { readonly line: string; readonly at: Date }
  | { readonly holds: number }
  | 'inconsistent';

/** A witness, for one of the names under which the log is signed. */
export interface Witness {
  /** The name of its key. */
  readonly name: string;
  readonly head: Head;
  /** Rejects with Later or Never where it gives none of the answers. */
  show(shown: Shown, signal: AbortSignal): Promise<Witnessed>;
}

/** What showing the log to witnesses needs. */
export interface WitnessingOn {
  readonly witnesses: readonly Witness[];
  /** Whether cosignatures of these, by the names of their keys, are enough. */
  readonly isEnough: (witnesses: ReadonlySet<string>) => boolean;
  readonly book: OutsideBook;
  readonly logging: Logging;
  /** Told that the log is not the one that was shown before: nothing may be written any more. */
  readonly alarm: (fault: Never) => void;
}

/** A witness is shown a checkpoint at most this often. */
const WITNESS_MS = 1_000;
const AGAIN_MS_MAX = 60_000;

/**
 * Shows witnesses the log as it grows, until the signal aborts: each by itself, so that one that is
 * away holds up no other, and all the same checkpoint.
 */
export async function witnessing(on: WitnessingOn, signal: AbortSignal): Promise<void> {
  const round = openRound(on.book, on.isEnough);
  await Promise.all(on.witnesses.map((witness) => keepShowing(on, { witness, round }, signal)));
}

interface To {
  readonly witness: Witness;
  readonly round: Round;
}

async function keepShowing(on: WitnessingOn, to: To, signal: AbortSignal): Promise<void> {
  const { name, head } = to.witness;
  let known: number | undefined;
  for (let attempt = 1; !signal.aborted; ) {
    try {
      known = await showOnce(on, to, known, signal);
      attempt = 1;
      await wait(WITNESS_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (isAlarm(error)) return on.alarm(error);
      on.logging.warn('not witnessed', { witness: name, head, because: messageOf(error) });
      await wait(backoffMs(attempt++, WITNESS_MS, AGAIN_MS_MAX), signal);
    }
  }
}

function isAlarm(error: unknown): error is Never {
  return error instanceof Never && ['database-behind', 'log-rewritten'].includes(error.code);
}

/** Gives the size that the witness holds from now on. */
async function showOnce(
  { book }: WitnessingOn,
  { witness, round }: To,
  known: number | undefined,
  signal: AbortSignal,
): Promise<number> {
  const old = known ?? (await book.cosigned(witness.name, witness.head));
  const shown = await round.shown(witness.head);
  if (shown === undefined || old > shown.size) return old;
  const holds =
    old === shown.size && old > 0 ? old : await showTwice(book, { witness, old, shown }, signal);
  round.cosigned(witness.name, holds);
  return holds;
}

async function showTwice(book: OutsideBook, it: Showing, signal: AbortSignal): Promise<number> {
  const { witness, shown } = it;
  const first = await showFrom(book, it, signal);
  if (first.cosigned || first.holds > shown.size) return first.holds;
  // It may have cosigned what we never heard of, and has said so.
  const second = await showFrom(book, { ...it, old: first.holds }, signal);
  if (second.cosigned) return second.holds;
  throw new Never('witness-undecided', `${witness.name} says twice that it holds another size`);
}

interface Showing {
  readonly witness: Witness;
  readonly old: number;
  readonly shown: { readonly size: number; readonly note: string };
}

async function showFrom(
  book: OutsideBook,
  { witness, old, shown: { size, note } }: Showing,
  signal: AbortSignal,
): Promise<{ readonly holds: number; readonly cosigned: boolean }> {
  const { name, head } = witness;
  const path = await book.consistency(old, size);
  const answer = await witness.show({ old, path, note }, signal);
  if (answer === 'inconsistent') throw rewritten(name, old);
  if ('line' in answer) {
    await book.keep({ size, head, witness: name, ...answer });
    return { holds: size, cosigned: true };
  }
  const committed = await book.size();
  if (answer.holds > committed) throw behindOutside(name, answer.holds, committed);
  return { holds: answer.holds, cosigned: false };
}

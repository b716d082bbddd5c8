// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import { backoffMs, unlessAborted, wait } from '@impound/runtime/wait.ts';
import { formatCheckpoint } from '@impound/transparency/checkpoint.ts';
import { headSigners, type LogSigners } from '@impound/transparency/log-keys.ts';
import { type NoteSigner, signNote } from '@impound/transparency/note.ts';
import type { Added, Standing } from './ports.ts';

/** The two names under which one tree is signed. */
export type Head = keyof ReturnType<typeof headSigners>;

/** Where checkpoints are kept. */
export interface CheckpointBook {
  /** The largest size that is signed under both heads; -1: none is. */
  lastSize(): Promise<number>;
  /** Keeps the notes of a size. Throws Never where that is committed with another root. */
  keep(standing: Standing, notes: Readonly<Record<Head, string>>): Promise<void>;
}

/** What the signing half of a term needs. */
export interface Checkpointed {
  readonly book: CheckpointBook;
  readonly signers: LogSigners;
  /** What this process itself has committed: it signs nothing that it only read. */
  readonly standing: () => Standing;
  readonly logging: Logging;
}

/** The signing half of a term. */
export interface Checkpointing {
  /** Told after each commit what was added. */
  committed(added: Added): void;
  /** Resolves when it has stopped. */
  readonly ended: Promise<void>;
}

/**
 * What is committed after a pause is under a checkpoint at once, what comes meanwhile after this.
 * No checkpoint is ever taken away again, so this is what bounds them: 86,400 a day.
 */
const CHECKPOINT_MS = 1_000;
const SIGN_MS_MAX = 10_000;

/**
 * Signs what is committed, after the commit, until the signal aborts. A term that begins signs what
 * the one before it left: Ed25519 gives the same signature for the same size.
 */
export function checkpointing(on: Checkpointed, signal: AbortSignal): Checkpointing {
  let wake = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => wake.resolve(), { once: true });
  const sleep = async () => {
    await wait(CHECKPOINT_MS, signal);
    if (!signal.aborted) await wake.promise;
    wake = Promise.withResolvers();
  };
  return { committed: () => wake.resolve(), ended: keepSigning(on, sleep, signal) };
}

async function keepSigning(
  on: Checkpointed,
  sleep: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; !signal.aborted; ) {
    try {
      await signOnce(on, signal);
      attempt = 1;
    } catch (error) {
      if (signal.aborted) return;
      on.logging.warn('checkpoint not signed yet', { because: messageOf(error) });
      await wait(backoffMs(attempt++), signal);
      continue;
    }
    await sleep();
  }
}

async function signOnce(
  { book, signers, standing }: Checkpointed,
  signal: AbortSignal,
): Promise<void> {
  const now = standing();
  if ((await book.lastSize()) >= now.size) return;
  const heads = headSigners(signers);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SIGN_MS_MAX)]);
  const notes = Promise.all([noteOf(now, heads.own), noteOf(now, heads.sigsum)]);
  const [own, sigsum] = await unlessAborted(notes, limit);
  await book.keep(now, { own, sigsum });
}

async function noteOf({ size, root }: Standing, signer: NoteSigner): Promise<string> {
  const text = formatCheckpoint({ origin: signer.vkey.name, size: BigInt(size), root });
  return await signNote(text, [signer]);
}

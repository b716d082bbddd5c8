// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import { backoffMs, wait } from '@impound/runtime/wait.ts';
import type { OutsideBook } from './outside.ts';

/** What an authority of time has said of a checkpoint. */
export interface Anchor {
  readonly size: number;
  readonly authority: string;
  /** The exact bytes that were stamped. */
  readonly note: string;
  /** The DER of its whole answer. */
  readonly token: Buffer;
}

/** An authority of time (RFC 3161). Rejects where it does not stamp, or not as it should. */
export interface TimeAuthority {
  readonly name: string;
  stamp(data: Uint8Array, signal: AbortSignal): Promise<Buffer>;
}

/** Where anchors are kept. */
export interface AnchorBook extends Pick<OutsideBook, 'newest'> {
  /** The largest size that this authority has stamped; -1: none. */
  anchored(authority: string): Promise<number>;
  keepAnchor(anchor: Anchor): Promise<void>;
}

/** What anchoring needs. */
export interface AnchoringOn {
  readonly authority: TimeAuthority;
  readonly book: AnchorBook;
  readonly everyMs: number;
  readonly logging: Logging;
}

const AGAIN_MS = 5_000;

/** Has the newest checkpoint stamped at intervals, until the signal aborts. */
export async function anchoring(on: AnchoringOn, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; !signal.aborted; ) {
    try {
      const done = await anchorOnce(on, signal);
      attempt = 1;
      // A log that has just begun is stamped as soon as it is signed.
      await wait(done ? on.everyMs : Math.min(on.everyMs, AGAIN_MS), signal);
    } catch (error) {
      if (signal.aborted) return;
      const { name } = on.authority;
      on.logging.warn('not stamped', { authority: name, because: messageOf(error) });
      await wait(backoffMs(attempt++, AGAIN_MS, on.everyMs), signal);
    }
  }
}

/** Gives whether the newest checkpoint is stamped. */
async function anchorOnce({ authority, book }: AnchoringOn, signal: AbortSignal): Promise<boolean> {
  const newest = await book.newest('own');
  if (newest === undefined) return false;
  const { size, note } = newest;
  if ((await book.anchored(authority.name)) >= size) return true;
  const token = await authority.stamp(Buffer.from(note, 'utf8'), signal);
  await book.keepAnchor({ size, authority: authority.name, note, token });
  return true;
}

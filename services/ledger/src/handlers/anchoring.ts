// SPDX-License-Identifier: Apache-2.0
import { CheckpointStampedV1 } from '@impound/contracts/checkpoint/stamped.v1.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import { backoffMs, unlessAborted, wait } from '@impound/runtime/wait.ts';
import { sha256 } from '@impound/transparency/hash.ts';
import type { OutsideBook } from './outside.ts';
import type { SayOwn } from './say-own.ts';

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
  /** The one over the largest size, whoever stamped it. */
  lastAnchor(): Promise<Anchor | undefined>;
  keepAnchor(anchor: Anchor): Promise<void>;
}

/** What anchoring needs. */
export interface AnchoringOn {
  readonly authority: TimeAuthority;
  readonly book: AnchorBook;
  readonly everyMs: number;
  /** Resolves when an acquisition was sealed since it was asked. */
  readonly sealed: () => Promise<void>;
  /** A seal is stamped after this, together with those that come meanwhile. */
  readonly sealedMs: number;
  readonly logging: Logging;
  readonly sayOwn: SayOwn;
}

const AGAIN_MS = 5_000;

/**
 * Has the newest checkpoint stamped at intervals, and puts each token on record by its digest, so
 * that token and log bracket each other. Ends with the signal; nobody waits for any of it.
 */
export async function anchoring(on: AnchoringOn, signal: AbortSignal): Promise<void> {
  const said = sayingOnce(on.sayOwn);
  for (let attempt = 1; !signal.aborted; ) {
    try {
      const stamped = await anchorOnce(on, said, signal);
      attempt = 1;
      await (stamped ? pause(on, signal) : wait(Math.min(on.everyMs, AGAIN_MS), signal));
    } catch (error) {
      if (signal.aborted) return;
      const { name } = on.authority;
      on.logging.warn('not stamped', { authority: name, because: messageOf(error) });
      await wait(backoffMs(attempt++, AGAIN_MS, on.everyMs), signal);
    }
  }
}

/** Until it is time again, or an acquisition has ended whose bag should have a token behind it. */
async function pause(
  { everyMs, sealed, sealedMs }: AnchoringOn,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const soon = async () => {
    await unlessAborted(sealed(), either);
    await wait(sealedMs, either);
    over.abort();
  };
  soon().catch(() => undefined);
  await wait(everyMs, either);
  over.abort();
}

/**
 * Gives whether it had something stamped. What the log says of its own stamp is not stamped by
 * itself: a log in which nothing else happens does not grow. A token is kept before the log says
 * so: where a process ends in between, the next one says it.
 */
async function anchorOnce(
  { authority, book }: AnchoringOn,
  said: Said,
  signal: AbortSignal,
): Promise<boolean> {
  const last = await book.lastAnchor();
  const saidAt = last === undefined ? -1 : await said(last, signal);
  const newest = await book.newest('own');
  if (newest === undefined) return false;
  const { size, note } = newest;
  if (last !== undefined && isStamped(size, { ...last, saidAt })) return false;
  const token = await authority.stamp(Buffer.from(note, 'utf8'), signal);
  await book.keepAnchor({ size, authority: authority.name, note, token });
  const kept = await book.lastAnchor();
  if (kept !== undefined) await said(kept, signal);
  return true;
}

/** Whether nothing stands above a stamped size but what the log says of that stamp. */
function isStamped(
  size: number,
  last: { readonly size: number; readonly saidAt: number },
): boolean {
  return size <= last.size || (last.saidAt === last.size && size === last.size + 1);
}

/** Gives where in the log an anchor is on record. */
type Said = (anchor: Anchor, signal: AbortSignal) => Promise<number>;

function sayingOnce(sayOwn: SayOwn): Said {
  let last: { readonly tokenSha256: string; readonly at: number } | undefined;
  return async ({ size, authority, note, token }, signal) => {
    const tokenSha256 = digestOf(token);
    if (last?.tokenSha256 === tokenSha256) return last.at;
    const data = { size, noteSha256: digestOf(Buffer.from(note, 'utf8')), tokenSha256, authority };
    last = { tokenSha256, at: await sayOwn(CheckpointStampedV1, data, signal) };
    return last.at;
  };
}

function digestOf(bytes: Uint8Array): string {
  return sha256(bytes).toString('hex');
}

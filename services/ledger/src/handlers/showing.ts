// SPDX-License-Identifier: Apache-2.0
import { messageOf, type Never } from '@impound/runtime/fault.ts';
import type { Vkey } from '@impound/transparency/vkey.ts';
import { type AnchorBook, anchoring, type TimeAuthority } from './anchoring.ts';
import { type GuardingOn, guarding } from './guarding.ts';
import { type MirrorStore, mirroring } from './mirroring.ts';
import type { OutsideBook } from './outside.ts';
import { type RootingOn, rooting } from './rooting.ts';
import { type Witness, witnessing } from './witnessing.ts';

/** To whom the log is shown, and what happens where it turns out to be another one. */
export interface ShowingOn extends Pick<GuardingOn, 'guardFaults' | 'guardMs'>, RootingOn {
  readonly witnesses: readonly Witness[];
  /** Whether cosignatures of these, by the names of their keys, are enough. */
  readonly isEnough: (witnesses: ReadonlySet<string>) => boolean;
  readonly mirror: MirrorStore | undefined;
  readonly authority: TimeAuthority | undefined;
  readonly stampMs: number;
  /** Resolves when an acquisition was sealed since it was asked. */
  readonly sealed: () => Promise<void>;
  readonly book: OutsideBook & AnchorBook;
  /** Every key that has signed under the log's own name. */
  readonly logs: readonly Vkey[];
  /** Stops the writing: there is nothing a process could mend here. */
  readonly stop: () => void;
}

/** Public authorities ask for so long a pause between two requests. */
const SEALED_MS = 15_000;

/** Shows the log to everybody outside, and looks after its guards, until the signal aborts. */
export async function showing(on: ShowingOn, signal: AbortSignal): Promise<void> {
  const { witnesses, isEnough, mirror, authority, book, logs, logging, stampMs, sayOwn, sealed } =
    on;
  const alarm = (fault: Never) => {
    logging.error('not writing any more', { code: fault.code, because: messageOf(fault) });
    on.stop();
  };
  const stamping = { book, everyMs: stampMs, logging, sayOwn, sealed, sealedMs: SEALED_MS };
  await Promise.all([
    guarding(on, signal),
    rooting(on, signal),
    witnessing({ witnesses, isEnough, book, logging, alarm }, signal),
    mirror && mirroring({ store: mirror, book, logs, logging, alarm }, signal),
    authority && anchoring({ authority, ...stamping }, signal),
  ]);
}

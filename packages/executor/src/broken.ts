// SPDX-License-Identifier: Apache-2.0
import { codeOf, messageOf, Never } from '@impound/runtime/fault.ts';
import { Stopped } from '@impound/runtime/job.ts';
import { redactedText } from '@impound/runtime/redact.ts';
import type { CollectorFault } from './collector/fault.ts';
import type { Run } from './shell.ts';

/** Why a collection ended before its trailer. */
export interface Broken {
  readonly code: string;
  readonly permanent: boolean;
  readonly because: string;
}

/** There is a while left to hand in what came until then. */
export const OVERDUE: Broken = {
  code: 'overdue',
  permanent: true,
  because: 'the time for this attempt was over before everything had come',
};

/** What a fault of the house is in the words of an execution that failed. */
export function brokenOf(fault: unknown): Broken {
  if (fault instanceof DOMException && fault.name === 'TimeoutError') return OVERDUE;
  const because = messageOf(fault);
  if (!(fault instanceof Stopped)) {
    return { code: codeOf(fault), permanent: fault instanceof Never, because };
  }
  return { code: fault.code, permanent: fault.code === 'cancelled', because };
}

/** A stream that ended too early is explained by how its process ended, where that is known. */
export async function brokenStream(fault: CollectorFault, run: Run): Promise<Broken> {
  const exit = await exitOf(run);
  if (exit instanceof Never) return brokenOf(exit);
  const stderr = run.stderrTail().trim();
  const because = [fault.message, exitText(exit), stderr && `it wrote: ${shown(stderr)}`];
  return {
    code: `collector-${fault.code}`,
    // What cannot be a collector will not become one; a cut stream may come whole the next time.
    permanent: fault.code !== 'truncated',
    because: because.filter(Boolean).join('; '),
  };
}

const EXIT_WAIT_MS = 5_000;

async function exitOf(run: Run): Promise<number | Error | undefined> {
  const waited = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => waited.resolve(undefined), EXIT_WAIT_MS);
  const exit = run.exitCode.catch((cause: unknown) =>
    cause instanceof Error ? cause : new Error(messageOf(cause)),
  );
  return await Promise.race([exit, waited.promise]).finally(() => clearTimeout(timer));
}

function exitText(exit: number | Error | undefined): string {
  if (exit === undefined) return 'its end is not known';
  if (exit instanceof Error) return exit.message;
  const killed = exit > 128 ? `, killed by signal ${exit - 128}` : '';
  return `sh ended with ${exit}${killed}`;
}

const SHOWN_CHARACTERS_MAX = 300;

/** Text of a target is hostile: only what is printable, little of it, and nothing secret. */
function shown(text: string): string {
  return redactedText(text)
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .slice(-SHOWN_CHARACTERS_MAX);
}

/** Text fit for the chain: no controls, well-formed, cut, and never empty. */
export function sayable(text: string, charactersMax: number): string {
  const plain = text.toWellFormed().replaceAll(/[\p{Cc}]+/gu, ' ');
  // A cut may part a surrogate pair.
  return plain.slice(0, charactersMax).toWellFormed().trim() || 'no reason was given';
}

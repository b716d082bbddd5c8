// SPDX-License-Identifier: Apache-2.0

/**
 * Trying the same again cannot help. `code` is kebab-case, for machines; the message for people.
 */
export class Never extends Error {
  override readonly name = 'Never';
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** It may work later: try again after `delayMs`, which doubles with each attempt. */
export class Later extends Error {
  override readonly name = 'Later';
  readonly code: string;
  readonly delayMs: number;
  constructor(code: string, delayMs: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.delayMs = delayMs;
  }
}

/** What to do with a message after its handler has ended. */
export type Verdict =
  | { readonly do: 'ack' }
  | { readonly do: 'nak'; readonly delayMs: number; readonly code: string }
  | { readonly do: 'give-up'; readonly code: string };

export const ATTEMPTS_MAX = 5;
const BUG_DELAY_MS = 1_000;
const DELAY_MS_MAX = 60_000;

/** The only place in the house where an error becomes an answer to the bus. */
export function verdict(error: unknown, attempt: number, attemptsMax = ATTEMPTS_MAX): Verdict {
  if (error === undefined) return { do: 'ack' };
  if (error instanceof Never) return { do: 'give-up', code: error.code };
  if (attempt >= attemptsMax) return { do: 'give-up', code: codeOf(error) };
  if (error instanceof Later) {
    // Doubling: five attempts must outlast a restart of whatever is away.
    const delayMs = Math.min(error.delayMs * 2 ** (attempt - 1), DELAY_MS_MAX);
    return { do: 'nak', delayMs: Math.max(delayMs, error.delayMs), code: error.code };
  }
  return { do: 'nak', delayMs: BUG_DELAY_MS, code: 'bug' };
}

/** The code of a fault; 'bug' for anything that nobody has classified. */
export function codeOf(error: unknown): string {
  return error instanceof Never || error instanceof Later ? error.code : 'bug';
}

/** The message of anything that was thrown, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const BECAUSE_CHARACTERS_MAX = 500;

/**
 * The message of anything that was thrown, fit to be said: what a hostile target put into it
 * could otherwise make the event that tells of the fault unsayable.
 */
export function becauseOf(error: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const cleaned = messageOf(error).replaceAll(/[\x00-\x08\x0b-\x1f\x7f]/g, ' ');
  return cleaned.slice(0, BECAUSE_CHARACTERS_MAX).toWellFormed().trim() || 'no reason was given';
}

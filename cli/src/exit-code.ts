// SPDX-License-Identifier: Apache-2.0

/** What the process ends with; documented in README.md and in `impound help`. */
export const EXIT = {
  ok: 0,
  /** The platform or the target failed: the acquisition ended as failed, or a request did. */
  failed: 1,
  /** The command line is not understood. */
  usage: 2,
  /** The acquisition ended without evidence because somebody or a deadline wanted that. */
  stopped: 3,
  /** Verification found that a bag or the evidence in it is not as it was written. */
  findings: 4,
  /** No platform answers, or it does not know the token. */
  unreachable: 5,
  /** Sealed, and the collection ended before everything asked for was tried. */
  partial: 6,
  /** Verification: the chain of custody is broken, or not whole. */
  chain: 7,
  /** Verification: a signature of the log or of who sealed is missing, or not that of its key. */
  signature: 8,
  /** Verification: an entry is not where it is said to stand in the log. */
  proof: 9,
  /** Verification: fewer witnesses have signed than the policy wants. */
  witness: 10,
  /** A whole log: its index says something else than its bytes. */
  index: 11,
  /** A whole log: a tile, a root or a batch does not follow from the leaves. */
  tree: 12,
  /** Others know another log: it was rewritten, or its end was cut off. */
  history: 13,
  /** Verification: an entry says another time than authorities or witnesses; a stamp is none. */
  time: 14,
} as const;

/** Ends the command with one message and one exit code. */
export class Exit extends Error {
  override readonly name = 'Exit';
  readonly code: number;
  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The worst first: what several acquisitions of one command end with together. */
const WORST_FIRST: readonly number[] = [
  EXIT.failed,
  EXIT.unreachable,
  EXIT.findings,
  EXIT.signature,
  EXIT.history,
  EXIT.proof,
  EXIT.chain,
  EXIT.witness,
  EXIT.time,
  EXIT.usage,
  EXIT.stopped,
  EXIT.partial,
];

/** One exit code for several; ok for none. */
export function worstOf(codes: readonly number[]): number {
  return WORST_FIRST.find((code) => codes.includes(code)) ?? EXIT.ok;
}

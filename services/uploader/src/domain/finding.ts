// SPDX-License-Identifier: Apache-2.0

/** One thing about a store that an operator should know. */
export interface Finding {
  /** stop: evidence would not be safe there, and the uploader does not start. */
  readonly level: 'stop' | 'warn';
  readonly code:
    | 'store-away'
    | 'store-refused'
    | 'store-full'
    | 'no-versions'
    | 'replaceable'
    | 'no-lock'
    | 'lock-in-the-way'
    | 'public-access'
    | 'clock-differs'
    | 'not-known';
  /** What is wrong and what to do, in a sentence. */
  readonly message: string;
}

// SPDX-License-Identifier: Apache-2.0

/** How often one rung of the ladder is tried before the next one. */
export const ATTEMPTS_MAX = 2;
/** The same where nothing was touched by most of them: a control plane that fails over is back. */
export const UNTOUCHED_ATTEMPTS_MAX = 5;
/** How many epochs one acquisition has at most. */
export const EPOCHS_MAX = 12;
/** The wait before the second attempt at a rung; it doubles with each further one. */
export const RETRY_DELAY_MS = 2_000;
/**
 * An assignment that its executor has not claimed by then lapses. It doubles with each one in a
 * row: within EPOCHS_MAX one executor may be away for 22 hours, or until the deadline.
 */
export const CLAIM_MS = 20_000;
/** The same where the executor is heard at work for others: it is busy, not absent. */
export const CLAIM_BUSY_MS_MAX = 600_000;
/** How long a claimed epoch may take to end by itself after somebody asked to cancel. */
export const CANCEL_GRACE_MS = 15_000;
/** How long the uploader may take beyond the deadline for what was captured before it. */
export const STORE_GRACE_MS = 60_000;
/** How long the rbac-checker may take to tell of every right where discovery lacked the first. */
export const RIGHTS_MS = 10_000;
/** An executor's deadline is before the acquisition's, so that it can hand in what it has. */
export const HAND_IN_MS_MAX = 10_000;
/** The same, as a part of the whole time: a short acquisition has a short hand-in. */
export const HAND_IN_SHARE = 0.1;

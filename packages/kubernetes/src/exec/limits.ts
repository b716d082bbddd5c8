// SPDX-License-Identifier: Apache-2.0

/** Limits of one exec channel; tests make them small. */
export interface ExecLimits {
  /** From the request to the 101. */
  readonly handshakeMsMax: number;
  /** From the request to the first frame, which says that the streams are ready. */
  readonly readyMsMax: number;
  readonly pingMs: number;
  /** Silence, with pings unanswered, after which the connection counts as lost. */
  readonly idleMsMax: number;
  /** From the status, or from a close frame, to the end of the connection. */
  readonly closeMsMax: number;
  /** stdout bytes that wait for their reader before the socket is paused. */
  readonly queueBytesMax: number;
  /** One message of the server; real ones carry at most 32 KiB. */
  readonly frameBytesMax: number;
}

/** The limits in production. */
export const EXEC_LIMITS: ExecLimits = {
  handshakeMsMax: 15_000,
  readyMsMax: 30_000,
  pingMs: 10_000,
  idleMsMax: 60_000,
  closeMsMax: 5_000,
  queueBytesMax: 262_144,
  frameBytesMax: 1_048_576,
};

/** What is kept of stderr, in bytes. */
export const STDERR_BYTES_MAX = 8_192;

/** Longest request target; proxies on the way often allow no more. */
export const TARGET_BYTES_MAX = 8_192;

/** What is read of a refusal, in bytes. */
export const REFUSAL_BYTES_MAX = 65_536;

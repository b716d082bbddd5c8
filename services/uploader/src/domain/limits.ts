// SPDX-License-Identifier: Apache-2.0

const MIB = 1_048_576;

/** One part of an object has at most this many bytes: 16 MiB, and 64 KiB for what frames it. */
export const PART_BYTES_MAX = 16 * MIB + 65_536;
/** One object has at most this many parts, numbered from 1. */
export const PARTS_MAX = 10_000;
/** Unfinished uploads of one acquisition at one time. */
export const SESSIONS_MAX = 64;
/** A URL that uploads is good for so long. */
export const UPLOAD_URL_MS = 7_200_000;
/** A URL that reads is good for so long. */
export const READ_URL_MS = 300_000;
/** An upload that nobody touched for so long is removed. */
export const SESSION_MS_MAX = 86_400_000;
/** How often abandoned uploads are looked for. */
export const SWEEP_MS = 3_600_000;
/** How often uploads are looked for whose holder has lost the right to them. */
export const FENCED_SWEEP_MS = 10_000;
/** Stored bytes are read and hashed in pieces of this size. */
export const CHUNK_BYTES = MIB;
/** The body of a completion. */
export const COMPLETION_BYTES_MAX = 4_096;
/** A URL that puts one part into the store itself is good for so long. */
export const DIRECT_URL_SECONDS = 600;

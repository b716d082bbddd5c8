// SPDX-License-Identifier: Apache-2.0

/** The body of any request. */
export const BODY_BYTES_MAX = 65_536;
/** A body must be complete within this time. */
export const BODY_MS_MAX = 10_000;
/** Arrays and objects in a body, one inside the other. */
export const JSON_DEPTH_MAX = 8;
/** Faults of one body that are named; the rest is not. */
export const FAULTS_MAX = 32;
/** What a request that is to be recorded waits for the ledger. */
export const RECORD_MS_MAX = 10_000;
/** Orders and decisions worked on at a time: with more nobody would be answered in time. */
export const IN_HAND_MAX = 256;
/** Callers that were let in and are remembered for as long as no others come. */
export const KNOWN_MAX = 1_024;
/** When a client should come again after a 503. */
export const RETRY_SECONDS = 2;
/** Headers of one request. */
export const HEADERS_MAX = 64;
/** Event streams open at one time. */
export const STREAMS_MAX = 256;
/** Of those, by one integration: nobody can keep all others from following. */
export const STREAMS_OF_ONE_MAX = 64;
/** An event stream ends after this time; the client comes back where it was. */
export const STREAM_MS_MAX = 3_600_000;
/** An event stream that is silent says that it lives. */
export const BEAT_MS = 15_000;
/** Entries of a chain after which no further finding is put on it. */
export const TRIGGERS_MAX = 1_000;
/** Chains that one storm may begin within its window, where those before came to nothing. */
export const STORM_CHAINS_MAX = 8;
/** Denials of one integration that go on record at once, and how many come back each second. */
export const DENIALS_BURST = 20;
export const DENIALS_PER_SECOND = 1 / 60;
/** Times that a decision is tried again because the chain moved meanwhile. */
export const DECISIONS_MAX = 8;
/** Entries of a list, unless the caller asks for fewer. */
export const LIST_DEFAULT = 50;
export const LIST_MAX = 200;
export const AUDIT_DEFAULT = 200;
export const AUDIT_MAX = 1_000;
/** Bundles of entries, of up to 16 MB each, that are put together at one time. */
export const BUNDLES_MAX = 4;
/** Callbacks that failed which one page looks at. */
export const CALLBACKS_MAX = 50;
export const DISCOVERY_DEFAULT = 100;
export const DISCOVERY_MAX = 500;
/** Questions of people whom nobody knows that wait for the ledger at one time. */
export const ANONYMOUS_MAX = 16;
/** Tiles of the log that are kept, 8 KiB each at most. */
export const TILES_MAX = 1_024;
/** How old the checkpoint may be that anybody is given. */
export const CHECKPOINT_MS = 500;
/** How much later the newest checkpoint may be signed than the witnessed one that is given. */
export const WITNESSED_MS_MAX = 60_000;

// SPDX-License-Identifier: Apache-2.0

/** What this format calls itself in the first line of a manifest. docs/spec/evidence.md */
export const FORMAT = 'impound-evidence';
/** The version of the format that this package writes and reads. */
export const FORMAT_VERSION = 1;

const KIB = 1_024;
const MIB = 1_024 * KIB;
const GIB = 1_024 * MIB;

/** Uncompressed bytes that the writer puts into one zstd frame. */
export const FRAME_BYTES = 4 * MIB;
/** Uncompressed bytes that any frame may hold; a reader refuses more. */
export const FRAME_BYTES_MAX = 64 * MIB;
/** Every part of an object but the last has at least this many bytes. */
export const PART_BYTES_MIN = 8 * MIB;
/** No part of an object has more bytes. */
export const PART_BYTES_MAX = 16 * MIB;
/** One line of a manifest, newline included. */
export const LINE_BYTES_MAX = MIB;
/** A path or link target as the writer takes it. Linux gives 4,095 to a system call. */
export const PATH_BYTES_MAX = 32 * KIB;
/** A member's name in the tar: below PATH_MAX (4,096), so that any tar can extract it. */
export const TAR_PATH_BYTES_MAX = 4_000;
/** One component of a member's name: NAME_MAX of Linux file systems. */
export const TAR_COMPONENT_BYTES_MAX = 255;
/** A link's target in the tar: PATH_MAX without its NUL. */
export const TAR_LINK_BYTES_MAX = 4_095;
/** One regular file, unless the writer is told otherwise. */
export const FILE_BYTES_MAX = 64 * GIB;
/** Names that one archive may hold, parents included; each costs 16 to 26 bytes of memory. */
export const NAMES_MAX = 4_000_000;
/** Uncompressed bytes that a verifier unpacks, unless it is told otherwise. */
export const ARCHIVE_BYTES_MAX = 1_024 * GIB;
/** Findings that a report lists; it counts the rest. */
export const FINDINGS_MAX = 1_000;
/** Unmatched names that a verifier remembers of either side before it gives up. */
export const PENDING_MAX = 10_000;
/** Characters of free text (why something was denied, …) that a manifest line keeps. */
export const TEXT_CHARACTERS_MAX = 2_048;

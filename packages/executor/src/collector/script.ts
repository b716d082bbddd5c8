// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { quoted } from './quote.ts';

/** What is taken: volatile state only, the decisive files as well, or every file. */
export type CollectorProfile = 'volatile' | 'triage' | 'full';

/** What one run of the collector is asked for; paths are raw bytes or UTF-8 text, absolute. */
export interface CollectorParameters {
  readonly profile: CollectorProfile;
  /** Files and trees taken besides the profile, in this order, before its own. */
  readonly paths?: readonly (string | Buffer)[];
  /**
   * Where the profile's paths begin: `/`, or `/proc/PID/root` from a container beside the target.
   */
  readonly root?: string;
  /** A directory searched for tools before the usual ones, such as a debug image's own. */
  readonly tools?: string;
  /** Web root scripts count as changed from this moment; without it since process 1 began. */
  readonly changedSinceSeconds?: number;
  readonly bytesMax?: number;
  readonly secondsMax?: number;
  readonly fileBytesMax?: number;
  /** Per file below /tmp, /var/tmp and /dev/shm. */
  readonly dropFileBytesMax?: number;
  /** Per file below /var/log and its like; of a longer one the end is taken. */
  readonly logFileBytesMax?: number;
  /** How long the collector waits for `COLLECTOR_ACK` after its last byte. */
  readonly ackSecondsMax?: number;
}

/** Where the shell takes its script from: the collector's parts, in the order they are sent. */
const PARTS = ['frame.sh', 'files.sh', 'collector.sh'];
const SCRIPT = Buffer.concat(PARTS.map((part) => readFileSync(new URL(part, import.meta.url))));

/** The collector as custody names it; sha256 is of its parts joined, without the parameters. */
export const COLLECTOR = {
  name: 'impound-collector-sh',
  version: '1',
  sha256: createHash('sha256').update(SCRIPT).digest('hex'),
} as const;

/** Sent to the collector's stdin once the end marker was read; it then ends with exit code 0. */
export const COLLECTOR_ACK = Buffer.from('ack\n');

/** How many paths one run may be asked for. */
export const PATHS_MAX = 256;
const PATH_BYTES_MAX = 4_096;
const BYTES_MAX = 2 ** 40;
const SECONDS_MAX = 4 * 3_600;
/** Of one file no more than this is sent. */
export const COLLECTED_FILE_BYTES_MAX = 8 * 2 ** 30;
const DROP_FILE_BYTES_MAX = 10 * 2 ** 20;
const LOG_FILE_BYTES_MAX = 100 * 2 ** 20;
const ACK_SECONDS_MAX = 30;

function rootOf(root: string): string {
  const trimmed = root.replace(/\/+$/, '');
  if (trimmed !== '') checkPath(Buffer.from(trimmed), 'root');
  return trimmed;
}

function checkPath(path: Buffer, what: string): Buffer {
  if (path[0] !== 0x2f) throw new RangeError(`${what}: not an absolute path; begin it with /`);
  if (path.length > PATH_BYTES_MAX) {
    throw new RangeError(`${what}: ${path.length} bytes, more than ${PATH_BYTES_MAX}`);
  }
  return path;
}

function whole(value: number, what: string): Buffer {
  if (Number.isSafeInteger(value) && value >= 0) return Buffer.from(String(value));
  throw new RangeError(`${what}: ${value} is not a whole number from 0 on`);
}

function items(paths: readonly (string | Buffer)[]): Buffer {
  if (paths.length > PATHS_MAX) {
    throw new RangeError(`paths: ${paths.length} of them, more than ${PATHS_MAX}; ask for a tree`);
  }
  const words = paths.map((path, index) => {
    const bytes = checkPath(Buffer.from(path as Buffer), `paths[${index}]`);
    return quoted(bytes.length > 1 ? withoutTrailingSlashes(bytes) : bytes);
  });
  return Buffer.concat(words.flatMap((word) => [word, Buffer.from(' ')]));
}

function withoutTrailingSlashes(path: Buffer): Buffer {
  let end = path.length;
  while (end > 1 && path[end - 1] === 0x2f) end -= 1;
  return path.subarray(0, end);
}

/**
 * The bytes to write to the stdin of `sh`: the parameters as quoted assignments, then the script.
 * Write nothing after it but `COLLECTOR_ACK`, and keep stdin open: its end kills the collector.
 * Throws RangeError for a path or a number that cannot be passed on.
 */
export function collectorScript(parameters: CollectorParameters): Buffer {
  const p = parameters;
  const since = p.changedSinceSeconds;
  const values: readonly (readonly [string, Buffer])[] = [
    ['PROFILE', Buffer.from(p.profile)],
    ['ROOT', Buffer.from(rootOf(p.root ?? '/'))],
    ['TOOLS', Buffer.from(p.tools ?? '')],
    ['ITEMS', items(p.paths ?? [])],
    ['SINCE', since === undefined ? Buffer.of() : whole(since, 'changedSinceSeconds')],
    ['BYTES_MAX', whole(p.bytesMax ?? BYTES_MAX, 'bytesMax')],
    ['SECONDS_MAX', whole(p.secondsMax ?? SECONDS_MAX, 'secondsMax')],
    ['FILE_BYTES_MAX', whole(p.fileBytesMax ?? COLLECTED_FILE_BYTES_MAX, 'fileBytesMax')],
    ['DROP_BYTES_MAX', whole(p.dropFileBytesMax ?? DROP_FILE_BYTES_MAX, 'dropFileBytesMax')],
    ['LOG_BYTES_MAX', whole(p.logFileBytesMax ?? LOG_FILE_BYTES_MAX, 'logFileBytesMax')],
    ['ACK_SECONDS', whole(p.ackSecondsMax ?? ACK_SECONDS_MAX, 'ackSecondsMax')],
  ];
  const lines = values.flatMap(([name, value]) => [
    Buffer.from(`${name}=`),
    quoted(value),
    Buffer.from('\n'),
  ]);
  return Buffer.concat([...lines, SCRIPT]);
}

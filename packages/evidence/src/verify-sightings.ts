// SPDX-License-Identifier: Apache-2.0
import type { CustodyReader } from './custody-read.ts';
import type { Placed } from './verify-entries.ts';
import type { Sighting } from './verify-known.ts';

/** What clocks of different people may differ by without a word about it. */
const CLOCK_SECONDS_MAX = 300n;
const MILLISECONDS = 1_000;

/**
 * Holds when entries say to have been recorded against what others saw of the log: nothing was
 * recorded before the log was seen to end before it, nor after it was seen with it.
 */
export function checkSightings(
  reader: Pick<CustodyReader, 'add'>,
  entries: readonly Placed[],
  sightings: readonly Sighting[],
): void {
  for (const entry of entries) {
    const [what] = sightings.flatMap((one) => contradiction(entry, one) ?? []);
    const { name, index, eventId } = entry;
    if (what !== undefined) reader.add('time-contradicted', what, { name, index, eventId });
  }
}

function contradiction(entry: Placed, { by, size, time }: Sighting): string | undefined {
  const { index, recordedMs } = entry;
  if (Number.isNaN(recordedMs)) return undefined;
  const at = BigInt(Math.floor(recordedMs / MILLISECONDS));
  const isIn = index < size;
  const fits = isIn ? at <= time + CLOCK_SECONDS_MAX : at + CLOCK_SECONDS_MAX >= time;
  if (fits) return undefined;
  const seen = `${by} saw the log with ${size} leaves at ${timeOf(time)}`;
  const how = isIn ? 'and it was among them already' : 'and it was not among them yet';
  return `it says to be recorded at ${timeOf(at)}; ${seen}, ${how}`;
}

/** A second since 1970 for people. */
function timeOf(seconds: bigint): string {
  const date = new Date(Number(seconds) * MILLISECONDS);
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString();
}

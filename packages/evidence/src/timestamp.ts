// SPDX-License-Identifier: Apache-2.0
import { EvidenceFault } from './fault.ts';

/**
 * Seconds since the Unix epoch as stat and find print them ("1763870000.123456789", "-1"), or a
 * whole number of seconds. Digits beyond nanoseconds are cut off.
 */
export type EpochTime = string | number;

const SECONDS = /^(-?)(\d{1,19})(?:\.(\d{1,12}))?$/;
const NANOSECONDS = 1_000_000_000n;
const YEAR_0 = -62_167_219_200n;
const YEAR_10000 = 253_402_300_800n;

/** Nanoseconds since the Unix epoch, or undefined where the text is no such time. */
export function parseEpoch(time: EpochTime): bigint | undefined {
  const [, sign, seconds, fraction = ''] = SECONDS.exec(String(time)) ?? [];
  if (seconds === undefined) return undefined;
  const size = BigInt(seconds) * NANOSECONDS + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -size : size;
}

/** Like parseEpoch. Throws EvidenceFault `time-refused`. */
export function nanosecondsOf(time: EpochTime): bigint {
  const parsed = parseEpoch(time);
  if (parsed !== undefined) return parsed;
  throw new EvidenceFault(
    'time-refused',
    'a time is decimal seconds since 1970, at most 19 digits',
  );
}

/** Decimal seconds, the form of pax records: no exponent, no trailing zeros. */
export function decimalSeconds(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const fraction = fractionOf(size % NANOSECONDS);
  return `${nanoseconds < 0n ? '-' : ''}${size / NANOSECONDS}${fraction}`;
}

/**
 * RFC 3339 in UTC with as many decimals as are not zero, at most nine; "@" and decimal seconds for
 * a time outside the years 0000 to 9999, which RFC 3339 cannot say.
 */
export function rfc3339(nanoseconds: bigint): string {
  const rest = ((nanoseconds % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
  const seconds = (nanoseconds - rest) / NANOSECONDS;
  if (seconds < YEAR_0 || seconds >= YEAR_10000) return `@${decimalSeconds(nanoseconds)}`;
  const whole = new Date(Number(seconds) * 1_000)
    .toISOString()
    .slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
  return `${whole}${fractionOf(rest)}Z`;
}

function fractionOf(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '';
  return `.${nanoseconds.toString().padStart(9, '0').replace(/0+$/, '')}`;
}

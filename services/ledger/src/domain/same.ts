// SPDX-License-Identifier: Apache-2.0
import { canonical } from '@impound/contracts/canonical.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import { Time } from '@impound/contracts/ids.ts';

/**
 * Whether a repeat says the same as the first event under its id: it may differ in its times, in
 * the trace it belongs to and in the process that says it.
 */
export function saysTheSame(first: Envelope, repeat: Envelope): boolean {
  return essence(first) === essence(repeat);
}

function essence(event: Envelope): string {
  const { time: _time, traceparent: _trace, source: _source, data, ...rest } = event;
  // Its statement is over all of the data, its times too.
  const { statement: _statement, ...said } = data;
  return canonical(withoutTimes({ ...rest, data: said }));
}

const TIME_CHARACTERS = 27;

function withoutTimes(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.length === TIME_CHARACTERS && Time.safeParse(value).success ? '' : value;
  }
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutTimes(one)]));
}

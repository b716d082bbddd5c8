// SPDX-License-Identifier: Apache-2.0
import type { Entry } from '@impound/contracts/entry.ts';
import { serviceOf } from '@impound/contracts/envelope.ts';
import { detail } from '@impound/report/telling.ts';

/** Who waits for an executor is told what else there is to do. */
export function waitingLine(waiting: string, acquisitionId: string): string {
  return `${waiting}: impound cancel ${acquisitionId} --reason R`;
}

/** One entry of a chain as a line for people: when, who, what. */
export function timelineLine(entry: Entry, startedAt: string): string {
  const { event } = entry;
  const seconds = (Date.parse(entry.recordedAt) - Date.parse(startedAt)) / 1_000;
  const when = `+${seconds.toFixed(3)}s`.padStart(10);
  const number = String(entry.acqSeq).padStart(3);
  const who = serviceOf(event.source).padEnd(20);
  const what = event.type.replace(/\.v\d+$/, '').padEnd(24);
  return `${number} ${when}  ${who} ${what} ${detail(event.type, event.data)}`.trimEnd();
}

// SPDX-License-Identifier: Apache-2.0
import { checkOf, type Finding } from './finding.ts';

/** Another's clock minus ours, and how uncertain the difference is. */
export interface Offset {
  readonly offsetMs: number;
  readonly withinMs: number;
}

const OFFSET_MS_WELL = 2_000;
const OFFSET_MS_MAX = 30_000;

/** Times on the chain are told by several clocks: an auditor wants them to agree. */
export function clockFinding(whose: string, offset: Offset | undefined): Finding {
  const check = checkOf('clock');
  if (offset === undefined) {
    const how = `compare the clock of ${whose} by hand, and let all follow the same NTP source`;
    return check.unknown(`${whose} does not tell its time`, how);
  }
  const least = Math.max(0, Math.abs(offset.offsetMs) - offset.withinMs);
  const seconds = (least / 1_000).toFixed(1);
  const way = offset.offsetMs > 0 ? 'ahead of' : 'behind';
  if (least <= OFFSET_MS_WELL) return check.ok(`${whose} and this machine agree on the time`);
  const what = `the clock of ${whose} is ${seconds} s ${way} this machine's`;
  const next = 'let all machines follow the same NTP source, and find out which one was wrong';
  return least > OFFSET_MS_MAX ? check.sick(what, next) : check.advice(what, next);
}

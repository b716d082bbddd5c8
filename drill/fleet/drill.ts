// SPDX-License-Identifier: Apache-2.0
import type { Audit } from './audit.ts';

/** Where a drill runs, and how much of it. */
export interface Stage {
  /** True for the whole; false for the form that every change goes through. */
  readonly full: boolean;
  /** False in tests, which say nothing of time: what is late is told and is no finding. */
  readonly clocked: boolean;
  readonly signal: AbortSignal;
  /** What came after the name on the command line, beside --full. */
  readonly args: readonly string[];
  /** Tells people what is going on, line by line. */
  tell(line: string): void;
}

/** One drill: something is broken on purpose, and every promise is held against what came of it. */
export interface Drill {
  /** What it does, in one sentence. */
  readonly sentence: string;
  /** Gives what was not as promised; nothing where all was. */
  run(stage: Stage): Promise<readonly string[]>;
}

/** An audit in lines for people. */
export function auditLines(audit: Audit): string[] {
  const ends = Object.entries(audit.ends).map(([type, count]) => `${count} ${type}`);
  const late = audit.late.map(({ afterMs }) => `${Math.round(afterMs)} ms`);
  return [
    `audit: ${ends.join(', ')}; ${audit.entries} entries without a gap`,
    `audit: ${audit.touches} touches, each under a claim on record; ` +
      `${late.length} after the epoch was over${late.length > 0 ? `: ${late.join(', ')}` : ''}`,
    `audit: ${audit.bags} bags exported and verified`,
    `audit: ${audit.strays.length} objects in the store that an interrupted try has left`,
    ...audit.strays.map((key) => `audit: left: ${key}`),
    ...audit.findings.map((finding) => `NOT AS PROMISED: ${finding}`),
  ];
}

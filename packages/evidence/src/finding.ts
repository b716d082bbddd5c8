// SPDX-License-Identifier: Apache-2.0
import { EvidenceFault } from './fault.ts';
import { FINDINGS_MAX } from './limits.ts';

/** Everything a verifier can find wrong. docs/spec/evidence.md explains each. */
export const FINDING_CODES = [
  'header-missing',
  'line-invalid',
  'line-not-canonical',
  'line-too-long',
  'line-after-end',
  'end-missing',
  'end-mismatch',
  'manifest-mismatch',
  'archive-mismatch',
  'archive-truncated',
  'frame-broken',
  'frame-refused',
  'frame-too-large',
  'tar-broken',
  'tar-truncated',
  'trailing-data',
  'padding-not-zero',
  'header-not-exact',
  'member-refused',
  'member-duplicate',
  'member-conflict',
  'member-missing',
  'member-extra',
  'metadata-mismatch',
  'content-mismatch',
  'order-differs',
  'too-many-differences',
  'limit-exceeded',
  'object-missing',
  'object-unreadable',
  'bag-invalid',
  'bag-file-missing',
  'bag-file-extra',
  'bag-file-mismatch',
  'bag-file-refused',
  'checksum-list-mismatch',
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

/** One thing that is wrong: what, and where. Text is printable ASCII wherever names are hostile. */
export interface Finding {
  readonly code: FindingCode;
  readonly what: string;
  readonly where: string;
}

/** Findings as they come up; keeps the first FINDINGS_MAX and counts the rest. */
export interface FindingLog {
  add(code: FindingCode, what: string, where: string): void;
  /** Turns what was thrown into a finding; an abort is thrown on. */
  caught(error: unknown, where: string, signal: AbortSignal): void;
  readonly findings: readonly Finding[];
  leftOut(): number;
}

/** An empty log. */
export function findingLog(): FindingLog {
  const findings: Finding[] = [];
  let leftOut = 0;
  const add = (code: FindingCode, what: string, where: string): void => {
    if (findings.length < FINDINGS_MAX) findings.push({ code, what, where });
    else leftOut += 1;
  };
  const caught = (error: unknown, where: string, signal: AbortSignal): void => {
    signal.throwIfAborted();
    const known = FINDING_CODES.find(
      (code) => error instanceof EvidenceFault && error.code === code,
    );
    if (known !== undefined) add(known, (error as EvidenceFault).message, where);
    else add(missing(error) ? 'object-missing' : 'object-unreadable', codeOf(error), where);
  };
  return { add, caught, findings, leftOut: () => leftOut };
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : String(error);
}

function missing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

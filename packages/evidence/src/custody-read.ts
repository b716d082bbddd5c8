// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { ProofFault, type ProofFaultCode } from '@impound/transparency/proof-fault.ts';
import { FINDINGS_MAX } from './limits.ts';
import { printable } from './path-bytes.ts';
import { readSmallFile } from './small-file.ts';

/** All that can be wrong with what a bag has of the log. docs/spec/ledger.md explains each. */
export type LogFindingCode =
  | ProofFaultCode
  | 'proof-missing'
  | 'proof-differs'
  | 'entry-differs'
  | 'index-order'
  | 'heads-differ'
  | 'heads-missing'
  | 'root-differs'
  | 'chain-cut'
  | 'key-differs'
  | 'stamp-refused'
  | 'stamp-differs'
  | 'cosignature-stale'
  | 'history-differs'
  | 'time-contradicted'
  | 'statement-missing'
  | 'statement-refused';

/** Which entry a finding is about. */
export interface OfEntry {
  readonly index?: bigint;
  readonly eventId?: string;
}

/** One thing that is wrong with the place of a chain in the log: what, where, at which entry. */
export interface LogFinding extends OfEntry {
  readonly code: LogFindingCode;
  readonly what: string;
  readonly where: string;
}

/** The files of custody/ as they are read and checked; what is wrong becomes a finding. */
export interface CustodyReader {
  readonly findings: readonly LogFinding[];
  add(code: LogFindingCode, what: string, at: At): void;
  /** A file by its name in custody/, or undefined and a finding. */
  read(name: string, bytesMax: number, of?: OfEntry): Promise<Buffer | undefined>;
  /** The same of a file that a bag may have: undefined without a finding where it has none. */
  readIfThere(name: string, bytesMax: number): Promise<Buffer | undefined>;
  /** What a check gives, or undefined and a finding where it throws a ProofFault. */
  check<T>(at: At, work: () => T): T | undefined;
}

/** A name in custody/, and the entry that it is about. */
export interface At extends OfEntry {
  readonly name: string;
  /** True where the name is that of a file beside the bag. */
  readonly outside?: boolean;
}

/** Reads the custody/ of a bag. Its `read` rejects only when the signal aborts. */
export function custodyReader(directory: string, signal: AbortSignal): CustodyReader {
  const findings: LogFinding[] = [];
  const add = (code: LogFindingCode, what: string, { name, outside, ...of }: At): void => {
    const where = outside ? printable(Buffer.from(name)) : `custody/${name}`;
    if (findings.length < FINDINGS_MAX) findings.push({ code, what, where, ...of });
  };
  const read = async (name: string, bytesMax: number, missing: (error: unknown) => void) => {
    signal.throwIfAborted();
    try {
      return await readSmallFile(join(directory, 'custody', name), bytesMax);
    } catch (error) {
      missing(error);
      return undefined;
    }
  };
  const unread = (at: At) => (error: unknown) =>
    add('proof-missing', `it cannot be read: ${whyOf(error)}`, at);
  return {
    findings,
    add,
    read: (name, bytesMax, of = {}) => read(name, bytesMax, unread({ name, ...of })),
    readIfThere: (name, bytesMax) =>
      read(name, bytesMax, (error) => isAbsent(error) || unread({ name })(error)),
    check: (at, work) => {
      try {
        return work();
      } catch (error) {
        if (!(error instanceof ProofFault)) throw error;
        add(error.code, printable(Buffer.from(error.message), WHY_BYTES_MAX), at);
        return undefined;
      }
    },
  };
}

const WHY_BYTES_MAX = 400;

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function whyOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return code === 'ENOENT' ? 'there is no such file' : code;
}

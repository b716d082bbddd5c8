// SPDX-License-Identifier: Apache-2.0
import { KubernetesFault, type KubernetesFaultCode, quote } from '../fault.ts';
import { parseStatus, type Status } from '../status.ts';

/** How a command ended: with a code of its own, or not as a command at all. */
export type Outcome = { readonly exitCode: number } | { readonly fault: KubernetesFault };

/** Collects channel 3, where the cluster says once how the command ended. */
export interface StatusReader {
  push(bytes: Buffer): void;
  /** Undefined until a whole Status has been read; the first one counts. */
  outcome(): Outcome | undefined;
  /** True when something came that was no Status. */
  garbled(): boolean;
}

/** Most bytes of a Status; a real one repeats at most the command line, twice. */
export const STATUS_BYTES_MAX = 65_536;

const SHELLS: ReadonlySet<string> = new Set(['ash', 'bash', 'busybox', 'dash', 'ksh', 'sh', 'zsh']);

const MISSING_PROGRAM = /not found in \$PATH|no such file or directory|cannot find the file/i;
const NOT_STARTED =
  /failed to start exec|unable to start container process|OCI runtime exec failed/i;

/** Makes a reader of channel 3; `argv` only decides whether a missing program is a shell. */
export function statusReader(argv: readonly string[]): StatusReader {
  let text = Buffer.alloc(0);
  let outcome: Outcome | undefined;
  return {
    push(bytes) {
      if (outcome || bytes.byteLength === 0) return;
      text = Buffer.concat([text, bytes]).subarray(0, STATUS_BYTES_MAX);
      const status = parseStatus(text.toString('utf8'));
      outcome = status && outcomeOf(status, argv);
    },
    outcome: () => outcome,
    garbled: () => !outcome && text.byteLength > 0,
  };
}

/** Reads a v4 or v5 exec Status. Undefined if it contradicts itself or names no result. */
export function outcomeOf(status: Status, argv: readonly string[]): Outcome | undefined {
  if (status.status === 'Success') return { exitCode: 0 };
  if (status.status !== 'Failure') return undefined;
  if (status.reason !== 'NonZeroExitCode') return { fault: startFault(status.message, argv) };
  const cause = status.causes.find((one) => one.reason === 'ExitCode');
  const exitCode = /^-?\d{1,10}$/.test(cause?.message ?? '') ? Number(cause?.message) : 0;
  return exitCode === 0 ? undefined : { exitCode };
}

function startFault(message: string, argv: readonly string[]): KubernetesFault {
  const [code, next] = classify(message, argv[0] ?? '');
  return new KubernetesFault(code, `the command did not end by itself: ${quote(message)}; ${next}`);
}

function classify(message: string, program: string): readonly [KubernetesFaultCode, string] {
  if (/container not found \(/.test(message)) {
    return ['container-not-found', "the container does not run now; read the pod's status"];
  }
  if (/error dialing backend/i.test(message)) {
    return ['node-unreachable', 'the API server cannot reach the kubelet; try again later'];
  }
  if (MISSING_PROGRAM.test(message)) return missing(program);
  if (NOT_STARTED.test(message)) {
    return ['command-not-started', 'check that the file is a program and may be executed'];
  }
  return ['outcome-unknown', 'the command may have run or still run; look into the container'];
}

function missing(program: string): readonly [KubernetesFaultCode, string] {
  const name = program.slice(program.lastIndexOf('/') + 1);
  return SHELLS.has(name)
    ? ['no-shell', 'the image has no shell; use an ephemeral container or the node']
    : ['command-not-started', 'the image does not have this program; use another way'];
}

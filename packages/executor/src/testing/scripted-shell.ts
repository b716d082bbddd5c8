// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Run, Shell } from '../shell.ts';

/** The lines of a collector's stream (docs/spec/collector-stream.md), numbered as they are made. */
export interface StreamText {
  record(kind: string, fields: string, body?: string): string;
  file(path: string, content: string): string;
  end(state?: 'complete' | 'partial'): string;
}

const STAT = 'atime=1 mode=81a4 uid=0 gid=0 mtime=1 ctime=1 dev=1 ino=2 nlink=1 blocks=8 rdev=0,0';

/** What every stream begins with. */
export const BEGINNING =
  'IMPOUND-COLLECTOR 1\n' +
  'open seq=1 profile=triage pid=5 watchdog=6 uid=0 gid=0 time=1 uptime=1 digest=- missing=-\n';

/** Makes the records that follow the beginning. */
export function streamText(): StreamText {
  const count = { seq: 1, files: 0, bytes: 0 };
  const record = (kind: string, fields: string, body = '') => {
    count.seq += 1;
    return `${kind} seq=${count.seq} ${fields}\n${body}`;
  };
  return {
    record,
    file: (path, content) => {
      count.files += 1;
      count.bytes += content.length;
      const sha256 = createHash('sha256').update(content).digest('hex');
      const size = `size=${content.length} offset=0 content=${content.length}`;
      const end = `end sha256=${sha256} read=${content.length} flags=-\n`;
      const fields = `path=${path.length} link=0 ${STAT} ${size} why=-`;
      return record('file', fields, `${path}\n${content}\n${end}`);
    },
    end: (state = 'complete') => {
      const { seq, files, bytes } = count;
      const counts = `records=${seq} files=${files} bytes=${bytes} refused=0 state=${state}`;
      return record('trailer', counts, `IMPOUND-END ${seq + 1}\n`);
    },
  };
}

/** What a scripted process does. */
export interface Script {
  /** Its output; what it yields as `undefined` waits for ever, or until the run is aborted. */
  readonly says: readonly (string | Buffer | Error | undefined)[];
  /** Called when it begins to wait. */
  readonly waits?: () => void;
  readonly exit?: number | Error;
  readonly stderr?: string;
  /** Why it cannot be run at all. */
  readonly refuses?: Error;
  readonly root?: string;
}

/** A shell that plays one script, and remembers what was done to it. */
export interface ScriptedShell extends Shell {
  readonly stdin: string[];
  /** How much it had said when each part of stdin came. */
  readonly saidBefore: number[];
  runs: number;
  disposed: number;
}

/** Makes a shell of a script. */
export function scriptedShell(script: Script, notes?: readonly string[]): ScriptedShell {
  const shell: ScriptedShell = {
    notes,
    stdin: [],
    saidBefore: [],
    runs: 0,
    disposed: 0,
    run: async (_target, _argv, signal) => {
      shell.runs += 1;
      if (script.refuses) throw script.refuses;
      return runOf(shell, script, signal);
    },
  };
  return shell;
}

function runOf(shell: ScriptedShell, script: Script, signal: AbortSignal): Run {
  let said = 0;
  const { exit = 0 } = script;
  return {
    root: script.root,
    stdin: {
      write: async (bytes) => {
        shell.stdin.push(Buffer.from(bytes).toString());
        shell.saidBefore.push(said);
      },
      end: async () => {},
    },
    stdout: {
      async *[Symbol.asyncIterator]() {
        for (const one of script.says) {
          // An aborted channel ends its output, which says nothing about success.
          if (one === undefined) await aborted(signal, script.waits);
          if (one === undefined || signal.aborted) return;
          said += 1;
          yield bytesOf(one);
        }
      },
    },
    stderrTail: () => script.stderr ?? '',
    exitCode: typeof exit === 'number' ? Promise.resolve(exit) : Promise.reject(exit),
    [Symbol.asyncDispose]: async () => {
      shell.disposed += 1;
    },
  };
}

function bytesOf(one: string | Buffer | Error): Buffer {
  if (one instanceof Error) throw one;
  return Buffer.from(one as Buffer);
}

async function aborted(signal: AbortSignal, waits = () => {}): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  if (signal.aborted) resolve();
  waits();
  await promise;
}

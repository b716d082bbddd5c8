// SPDX-License-Identifier: Apache-2.0
import type { EvidenceWriter } from '@impound/evidence/writer.ts';
import { codeOf, Later, messageOf, Never } from '@impound/runtime/fault.ts';
import type { Work } from '@impound/runtime/service.ts';
import type { Assignment, CollectDeps } from './collect.ts';
import { CollectorFault } from './collector/fault.ts';
import { parseCollectorStream } from './collector/parse.ts';
import { COLLECTOR_ACK, collectorScript } from './collector/script.ts';
import { inTarget, seenBelow } from './root.ts';
import type { Run } from './shell.ts';
import { type Transferred, transfer } from './transfer.ts';

/** Why a session ended before its trailer. */
export interface Broken {
  readonly code: string;
  readonly permanent: boolean;
  readonly because: string;
}

interface Session {
  readonly message: Assignment;
  readonly deps: CollectDeps;
  readonly work: Work;
  readonly so: Transferred;
  readonly sent: { bytes: number; touched: boolean };
}

/** The collector gives a sign of life every ten seconds; silent for so long, it hangs. */
const SILENCE_MS_MAX = 120_000;

/**
 * One run of the collector: send the script, take every record, acknowledge the trailer. Gives why
 * it broke, or undefined when it is whole. Throws what the store or the signal say.
 */
export async function session(
  it: Session,
  writer: EvidenceWriter,
  signal: AbortSignal,
): Promise<Broken | undefined> {
  const silence = new AbortController();
  const both = AbortSignal.any([signal, silence.signal]);
  const timer = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
  let run: Run | undefined;
  try {
    run = await it.deps.shell.run(it.message.data.target, ['sh'], both);
    run.exitCode.catch(() => undefined);
    it.sent.touched = true;
    const script = scriptOf(it.message, run.root);
    await run.stdin.write(script).catch(untaken);
    it.sent.bytes += script.length;
    for await (const record of parseCollectorStream(noticed(run.stdout, timer))) {
      await transfer(inTarget(record, run.root), writer, it.so);
      it.work.progress(record.kind, it.so.files, it.so.bytes);
      // Without it the collector ends by itself: what came is whole all the same.
      if (record.kind === 'trailer') await run.stdin.write(COLLECTOR_ACK).catch(() => undefined);
    }
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return await brokenBy(silence.signal.aborted ? SILENT : error, run);
  } finally {
    clearTimeout(timer);
    await run?.[Symbol.asyncDispose]();
  }
}

const SILENT = new Later('collector-silent', 0, 'the collector gave no sign of life for 120 s');

/** Why a program takes nothing is told by how it ended, not by the write that failed. */
function untaken(): never {
  throw new CollectorFault('truncated', 'what should be sh did not take the collector', 0);
}

function scriptOf({ data }: Assignment, root = ''): Buffer {
  const { profile, budget } = data;
  const { bytesMax, secondsMax } = budget;
  const paths = data.paths.map((path) => seenBelow(root, path));
  return collectorScript({ profile, root, paths, bytesMax, secondsMax });
}

async function* noticed(
  stdout: AsyncIterable<Buffer>,
  timer: NodeJS.Timeout,
): AsyncGenerator<Buffer> {
  for await (const chunk of stdout) {
    timer.refresh();
    yield chunk;
  }
}

const EXIT_WAIT_MS = 5_000;

/** A stream that ended too early is explained by how its process ended, where that is known. */
async function brokenBy(error: unknown, run: Run | undefined): Promise<Broken> {
  if (!(error instanceof CollectorFault)) {
    if (!(error instanceof Never || error instanceof Later)) throw error;
    return { code: codeOf(error), permanent: error instanceof Never, because: messageOf(error) };
  }
  const exit = run === undefined ? undefined : await exitOf(run);
  if (exit instanceof Never) return { code: exit.code, permanent: true, because: exit.message };
  const code = `collector-${error.code}`;
  const stderr = run?.stderrTail().trim() ?? '';
  const because = [error.message, exitText(exit), stderr && `it wrote: ${printable(stderr)}`];
  // What cannot be a collector will not become one; a cut stream may come whole the next time.
  const permanent = error.code !== 'truncated';
  return { code, permanent, because: because.filter(Boolean).join('; ') };
}

async function exitOf(run: Run): Promise<number | Error | undefined> {
  const waited = new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), EXIT_WAIT_MS).unref();
  });
  return await Promise.race([run.exitCode.catch((cause: unknown) => cause as Error), waited]);
}

function exitText(exit: number | Error | undefined): string {
  if (exit === undefined) return 'its end is not known';
  if (exit instanceof Error) return exit.message;
  const killed = exit > 128 ? `, killed by signal ${exit - 128}` : '';
  return `sh ended with ${exit}${killed}`;
}

/** Text of a target is hostile: only what is printable, and little of it. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(-300);
}

// SPDX-License-Identifier: Apache-2.0
import type { EvidenceWriter } from '@impound/evidence/writer.ts';
import { Later, messageOf, Never } from '@impound/runtime/fault.ts';
import type { Work } from '@impound/runtime/service.ts';
import { arriving, type Patience, patience } from './arriving.ts';
import { type Broken, brokenOf, brokenStream } from './broken.ts';
import type { Assignment, CollectDeps } from './collect.ts';
import { CollectorFault } from './collector/fault.ts';
import { parseCollectorStream } from './collector/parse.ts';
import { COLLECTOR_ACK, collectorScript } from './collector/script.ts';
import { inTarget, seenBelow } from './root.ts';
import type { Run } from './shell.ts';
import { type Transferred, transfer } from './transfer.ts';

interface Session {
  readonly message: Assignment;
  readonly deps: CollectDeps;
  readonly work: Work;
  readonly so: Transferred;
  readonly sent: { bytes: number; touched: boolean };
}

/** The collector gives a sign of life every ten seconds; silent for so long, it hangs. */
const SILENCE_MS_MAX = 120_000;
/** Beside contents: headers, names, process tables, and what the budget does not count. */
const EXTRA_BYTES_MAX = 4 * 2 ** 30;

/**
 * One run of the collector: send the script, take every record, acknowledge the trailer. Gives why
 * it broke, or undefined when it is whole. Throws what the store or the signal say.
 */
export async function session(
  it: Session,
  writer: EvidenceWriter,
  signal: AbortSignal,
): Promise<Broken | undefined> {
  // Looked at before anything is sent: what can never be asked for must not touch the target.
  scriptOf(it.message);
  const patient = patience(it.deps.limits?.silenceMsMax ?? SILENCE_MS_MAX);
  const both = AbortSignal.any([signal, patient.signal]);
  try {
    await using run = await opened(it, both);
    return await exchanged({ ...it, run, writer, patient }).catch(async (error: unknown) => {
      signal.throwIfAborted();
      if (patient.signal.aborted) return brokenOf(SILENT);
      if (error instanceof CollectorFault) return await brokenStream(error, run);
      throw error;
    });
  } catch (error) {
    signal.throwIfAborted();
    const ofTheStore = it.so.refusedBy !== undefined;
    if (!ofTheStore && (error instanceof Never || error instanceof Later)) return brokenOf(error);
    throw error;
  }
}

const SILENT = new Later('collector-silent', 0, 'the collector gave no sign of life for too long');

/** A request that nobody answered may have reached the target; one that was refused has not. */
async function opened(it: Session, signal: AbortSignal): Promise<Run> {
  signal.throwIfAborted();
  it.sent.touched = true;
  try {
    const run = await it.deps.shell.run(it.message.data.target, ['sh'], signal);
    run.exitCode.catch(() => undefined);
    return run;
  } catch (error) {
    if (error instanceof Never && !signal.aborted) it.sent.touched = false;
    throw error;
  }
}

interface Exchanging extends Session {
  readonly run: Run;
  readonly writer: EvidenceWriter;
  readonly patient: Patience;
}

async function exchanged(it: Exchanging): Promise<undefined> {
  const { run, so, sent, work, patient } = it;
  const script = scriptOf(it.message, run.root);
  await patient.during(run.stdin.write(script)).catch(untaken);
  sent.bytes += script.length;
  let phase = 'started';
  const came = (bytes: number) => {
    so.received += bytes;
    work.progress(phase, so.files, so.bytes);
  };
  const bytesMax = 2 * it.message.data.budget.bytesMax + EXTRA_BYTES_MAX;
  const stdout = arriving({
    stdout: run.stdout,
    recycle: run.recycle,
    ...{ patience: patient, bytesMax, came },
  });
  try {
    for await (const record of parseCollectorStream(stdout)) {
      phase = record.kind;
      await stored(it, () => transfer(inTarget(record, run.root), it.writer, so));
      work.progress(phase, so.files, so.bytes);
      if (record.kind === 'trailer') await acknowledged(it);
    }
  } catch (error) {
    // Behind the end marker only bytes are a fault: however the channel ends, all has come.
    const whole = so.trailer !== undefined && so.refusedBy === undefined;
    if (!whole || error instanceof CollectorFault) throw error;
  }
}

/** Remembers that it was not the target that broke. */
async function stored(it: Exchanging, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    it.so.refusedBy = error;
    throw error;
  }
}

/** Without it the collector ends by itself: what came is whole all the same. */
async function acknowledged({ run, sent, patient }: Exchanging): Promise<void> {
  try {
    await patient.during(run.stdin.write(COLLECTOR_ACK));
    sent.bytes += COLLECTOR_ACK.length;
  } catch {
    // The end of the stream follows, and tells the rest.
  }
}

/** Why a program takes nothing is told by how it ended, not by the write that failed. */
function untaken(): never {
  throw new CollectorFault('truncated', 'what should be sh did not take the collector', 0);
}

function scriptOf({ data }: Assignment, root = ''): Buffer {
  const { profile, budget } = data;
  const { bytesMax, secondsMax } = budget;
  try {
    const paths = data.paths.map((path) => seenBelow(root, path));
    return collectorScript({ profile, root, paths, bytesMax, secondsMax });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new Never('order-refused', `it cannot be asked for: ${messageOf(cause)}`, { cause });
  }
}

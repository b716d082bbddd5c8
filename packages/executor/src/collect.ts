// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import type { WorkerId } from '@impound/contracts/ids.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { millisecondsOf, timeOf } from '@impound/contracts/time.ts';
import type { EvidenceWriter } from '@impound/evidence/writer.ts';
import { evidenceWriter } from '@impound/evidence/writer.ts';
import { Never } from '@impound/runtime/fault.ts';
import type { Message } from '@impound/runtime/message.ts';
import { type Said, say } from '@impound/runtime/say.ts';
import type { Work } from '@impound/runtime/service.ts';
import { wait } from '@impound/runtime/wait.ts';
import { type Broken, brokenOf, OVERDUE, sayable } from './broken.ts';
import { COLLECTED_FILE_BYTES_MAX, COLLECTOR } from './collector/script.ts';
import type { CaptureStore, Presence, Seen } from './ports.ts';
import { session } from './session.ts';
import type { Shell } from './shell.ts';
import { footprintOf, nothingTransferred, type Transferred } from './transfer.ts';

/** What collecting needs of the world. */
export interface CollectDeps {
  readonly shell: Shell;
  readonly presence: Presence;
  readonly store: CaptureStore;
  readonly limits?: CollectLimits | undefined;
}

/** How long the world is waited for. */
export interface CollectLimits {
  /** A collector may give no sign of life for so long; 120,000 if left out. */
  readonly silenceMsMax?: number | undefined;
  /** A container's end may be told so long after its channel has ended; 3,000 if left out. */
  readonly statusMsMax?: number | undefined;
}

export type Assignment = Message<typeof AcquisitionAssignedV1>;
type Outcome = Said<typeof EvidenceCapturedV1 | typeof ExecutionFailedV1>;

/** One collection from its beginning to its end, as far as it came. */
interface Collecting {
  readonly message: Assignment;
  readonly deps: CollectDeps;
  readonly work: Work;
  readonly startedAt: string;
  readonly so: Transferred;
  readonly sent: { bytes: number; touched: boolean };
  /** Which container it is; where the assignment did not say, the one that was seen first. */
  readonly container: { id: string | undefined };
}

/**
 * Runs the collector in the container and stores what it sends. In this order: look whether it is
 * still the same container, open the place for the evidence, and only then touch the target.
 * Whatever breaks is said by whoever did it: nobody else knows what was sent to the target.
 */
export async function collect(
  message: Assignment,
  deps: CollectDeps,
  work: Work,
  signal: AbortSignal,
): Promise<Outcome> {
  const sent = { bytes: 0, touched: false };
  const so = nothingTransferred();
  const container = { id: message.data.containerId };
  const it = { message, deps, work, startedAt: timeOf(Date.now()), so, sent, container };
  try {
    return await collecting(it, signal);
  } catch (error) {
    return failedBy(it, brokenOf(signal.aborted ? signal.reason : error));
  }
}

async function collecting(it: Collecting, signal: AbortSignal): Promise<Outcome> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeLeftMs(it.message))]);
  await sameContainer(it, limited).catch((error: unknown) => {
    // A claim that came at the last moment: whoever was asked knows only that nobody waits.
    throw limited.aborted ? limited.reason : error;
  });
  await using writer = await openCapture(it, signal);
  const broken = await session(it, writer, limited).catch((error: unknown) => {
    if (signal.aborted || !limited.aborted || it.so.refusedBy !== undefined) throw error;
    return OVERDUE;
  });
  signal.throwIfAborted();
  if (broken === undefined) return await captured(it, writer, undefined);
  const noMore = await whyNoMore(it, broken, signal);
  if (noMore !== undefined && it.so.files + it.so.bytes > 0) {
    return await captured(it, writer, noMore);
  }
  return await failed(it, writer, noMore === undefined ? broken : { ...broken, permanent: true });
}

const MARGIN_MS = 60_000;

/** The collector keeps its budget by itself; this is the limit where it does not. */
export function timeLeftMs({ data }: Assignment): number {
  const untilDeadline = millisecondsOf(data.deadline) - Date.now();
  return Math.max(1, Math.min(data.budget.secondsMax * 1_000 + MARGIN_MS, untilDeadline));
}

const STATUS_MS_MAX = 3_000;
const STATUS_AGAIN_MS = 500;

/** Why another attempt cannot get more; undefined where it can, or nobody knows. */
async function whyNoMore(
  it: Collecting,
  broken: Broken,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (broken === OVERDUE) return broken.because;
  // A node tells the control plane of an end only after the channel has ended.
  const giveUpAt = Date.now() + (it.deps.limits?.statusMsMax ?? STATUS_MS_MAX);
  for (;;) {
    const seen = await look(it, signal).catch(() => undefined);
    if (seen !== undefined && !isSame(it, seen)) {
      return `the container ended during the collection: ${broken.because}`;
    }
    signal.throwIfAborted();
    if (broken.permanent || Date.now() >= giveUpAt) return undefined;
    await wait(STATUS_AGAIN_MS, signal);
  }
}

async function look(it: Collecting, signal: AbortSignal) {
  return await it.deps.presence.look(it.message.data.target, signal);
}

/** Another container under the same name is another target: it is not touched. */
async function sameContainer(it: Collecting, signal: AbortSignal): Promise<void> {
  const seen = await look(it, signal);
  if (seen.state !== 'running') {
    throw new Never('container-not-running', `the container is ${seen.state}`);
  }
  if (isSame(it, seen)) {
    it.container.id = seen.containerId;
    return;
  }
  throw new Never(
    'container-replaced',
    'the container was restarted since it was found: it is another one, ask for it anew',
  );
}

/** Whether the container that was found still runs: after a restart it is another one. */
function isSame(it: Collecting, { state, containerId }: Seen): boolean {
  const wanted = it.container.id;
  return state === 'running' && (wanted === undefined || wanted === containerId);
}

async function openCapture(it: Collecting, signal: AbortSignal): Promise<EvidenceWriter> {
  const { message, startedAt } = it;
  const { tenant, acquisitionId, data } = message;
  return await evidenceWriter(
    {
      // A target that declares more and stops would have zeros written in its place.
      fileBytesMax: Math.min(data.budget.bytesMax, COLLECTED_FILE_BYTES_MAX),
      sink: it.deps.store.sink({ tenant, acquisitionId, epoch: data.epoch }),
      header: {
        acquisitionId,
        caseId: data.caseId,
        source: 'container',
        startedAt,
        collector: collectorFacts(),
        target: formatTarget(data.target),
        method: data.method,
        epoch: data.epoch,
      },
    },
    signal,
  );
}

/** The collector as custody names it. */
export function collectorFacts() {
  return { name: COLLECTOR.name, version: COLLECTOR.version, sha256: COLLECTOR.sha256 };
}

async function captured(
  it: Collecting,
  writer: EvidenceWriter,
  because: string | undefined,
): Promise<Outcome> {
  const { message, so, sent, work, startedAt } = it;
  const footprint = footprintOf(so, sent, it.deps.shell.notes);
  if (because !== undefined) {
    await writer.coverage({ asked: 'collection', verdict: 'partial', because });
  }
  await writer.footprint(footprint);
  const endedAt = timeOf(Date.now());
  const { objects, coverage } = await writer.end({ finishedAt: endedAt });
  const budget =
    so.trailer?.state === 'partial' ? 'the collector stopped at its budget' : undefined;
  const reason = because ?? budget;
  return say(EvidenceCapturedV1, {
    epoch: message.data.epoch,
    worker: work.worker,
    method: message.data.method,
    objects: objects.map(({ name, key = '', bytes, sha256 }) => ({ name, key, bytes, sha256 })),
    coverage,
    footprint,
    partial: reason !== undefined,
    ...(reason === undefined ? {} : { because: sayable(reason, BECAUSE_CHARACTERS_MAX) }),
    startedAt,
    endedAt,
  });
}

const BECAUSE_CHARACTERS_MAX = 1_000;

/** What came before the end is kept where the store takes it: part of the evidence beats none. */
async function failed(it: Collecting, writer: EvidenceWriter, broken: Broken): Promise<Outcome> {
  if (it.so.files + it.so.bytes === 0) return failedBy(it, broken);
  return failedBy(it, broken, await salvage(it, writer, broken.because));
}

function failedBy(it: Collecting, broken: Broken, salvaged: Salvaged = []): Outcome {
  return say(ExecutionFailedV1, {
    epoch: it.message.data.epoch,
    worker: it.work.worker,
    code: broken.code,
    permanent: broken.permanent,
    because: sayable(broken.because, BECAUSE_CHARACTERS_MAX),
    footprint: footprintOf(it.so, it.sent, it.deps.shell.notes),
    salvaged,
  });
}

type Salvaged = ExecutionFailedV1['salvaged'];

async function salvage(it: Collecting, writer: EvidenceWriter, because: string): Promise<Salvaged> {
  try {
    await writer.coverage({ asked: 'collection', verdict: 'partial', because });
    await writer.footprint(footprintOf(it.so, it.sent, it.deps.shell.notes));
    const { objects } = await writer.end({ finishedAt: timeOf(Date.now()) });
    return objects.map(({ name, key = '', bytes, sha256 }) => ({ name, key, bytes, sha256 }));
  } catch {
    return [];
  }
}

/**
 * What is said where the collection itself could not: it was stopped before it began, or what it
 * wanted to say was refused. Once begun, it tells of its own stop, in numbers.
 */
export function collectionFailed(
  message: Assignment,
  fault: { readonly code: string; readonly because: string },
  worker: WorkerId,
): Said<typeof ExecutionFailedV1> {
  return say(ExecutionFailedV1, {
    epoch: message.data.epoch,
    worker,
    code: fault.code,
    permanent: NEVER_SAYABLE.has(fault.code) || fault.code === 'cancelled',
    because: sayable(fault.because || fault.code, BECAUSE_CHARACTERS_MAX),
    footprint: {
      touched: !STOPPED.has(fault.code),
      processesStarted: 0,
      filesRead: 0,
      filesWritten: 0,
      bytesSent: 0,
      bytesReceived: 0,
      notes: STOPPED.has(fault.code) ? [] : [UNKNOWN],
    },
    salvaged: [],
  });
}

const UNKNOWN = 'what was done is not known in numbers: the execution did not come to tell';
const STOPPED: ReadonlySet<string> = new Set(['cancelled', 'fenced', 'stopping']);
const NEVER_SAYABLE: ReadonlySet<string> = new Set(['unsayable', 'event-too-large', 'invalid']);

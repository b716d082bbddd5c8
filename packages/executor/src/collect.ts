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
import { COLLECTOR } from './collector/script.ts';
import type { CaptureStore, Presence, Seen } from './ports.ts';
import { type Broken, session } from './session.ts';
import type { Shell } from './shell.ts';
import { footprintOf, nothingTransferred, type Transferred } from './transfer.ts';

/** What collecting needs of the world. */
export interface CollectDeps {
  readonly shell: Shell;
  readonly presence: Presence;
  readonly store: CaptureStore;
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
}

/**
 * Runs the collector in the container and stores what it sends. In this order: look whether it is
 * still the same container, open the place for the evidence, and only then touch the target.
 */
export async function collect(
  message: Assignment,
  deps: CollectDeps,
  work: Work,
  signal: AbortSignal,
): Promise<Outcome> {
  const sent = { bytes: 0, touched: false };
  const so = nothingTransferred();
  const it = { message, deps, work, startedAt: timeOf(Date.now()), so, sent };
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeLeftMs(message))]);
  await sameContainer(it, limited);
  await using writer = await openCapture(it, signal);
  const broken = await session(it, writer, limited).catch((error: unknown) => {
    if (signal.aborted || !limited.aborted) throw error;
    return OVERDUE;
  });
  signal.throwIfAborted();
  if (broken === undefined) return await captured(it, writer, undefined);
  const noMore = await whyNoMore(it, broken, signal);
  if (noMore !== undefined && so.files + so.bytes > 0) return await captured(it, writer, noMore);
  return await failed(it, writer, noMore === undefined ? broken : { ...broken, permanent: true });
}

/** There is a while left to hand in what came until then. */
const OVERDUE: Broken = {
  code: 'overdue',
  permanent: true,
  because: 'the time for this attempt was over before everything had come',
};
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
  const giveUpAt = Date.now() + STATUS_MS_MAX;
  do {
    const seen = await look(it, signal).catch(() => undefined);
    if (seen !== undefined && !isSame(it, seen)) {
      return `the container ended during the collection: ${broken.because}`;
    }
    if (!broken.permanent) await wait(STATUS_AGAIN_MS, signal);
  } while (!broken.permanent && Date.now() < giveUpAt && !signal.aborted);
  signal.throwIfAborted();
  return undefined;
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
  if (isSame(it, seen)) return;
  throw new Never(
    'container-replaced',
    'the container was restarted since it was found: it is another one, ask for it anew',
  );
}

/** Whether the container that was found still runs: after a restart it is another one. */
function isSame(it: Collecting, { state, containerId }: Seen): boolean {
  const wanted = it.message.data.containerId;
  return state === 'running' && (wanted === undefined || wanted === containerId);
}

async function openCapture(it: Collecting, signal: AbortSignal): Promise<EvidenceWriter> {
  const { message, startedAt } = it;
  const { tenant, acquisitionId, data } = message;
  return await evidenceWriter(
    {
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
    ...(reason === undefined ? {} : { because: reason.slice(0, BECAUSE_CHARACTERS_MAX) }),
    startedAt,
    endedAt,
  });
}

const BECAUSE_CHARACTERS_MAX = 1_000;

/** What came before the end is kept where the store takes it: part of the evidence beats none. */
async function failed(it: Collecting, writer: EvidenceWriter, broken: Broken): Promise<Outcome> {
  const { message, so, sent, work } = it;
  const footprint = footprintOf(so, sent, it.deps.shell.notes);
  const salvaged = so.files + so.bytes === 0 ? [] : await salvage(writer, broken.because);
  return say(ExecutionFailedV1, {
    epoch: message.data.epoch,
    worker: work.worker,
    code: broken.code,
    permanent: broken.permanent,
    because: broken.because.slice(0, BECAUSE_CHARACTERS_MAX),
    footprint,
    salvaged,
  });
}

async function salvage(writer: EvidenceWriter, because: string) {
  try {
    await writer.coverage({ asked: 'collection', verdict: 'partial', because });
    const { objects } = await writer.end({ finishedAt: timeOf(Date.now()) });
    return objects.map(({ name, key = '', bytes, sha256 }) => ({ name, key, bytes, sha256 }));
  } catch {
    return [];
  }
}

/** What is said of an execution that threw: nothing more is known of what it did than this. */
export function collectionFailed(
  message: Assignment,
  fault: { readonly code: string; readonly because: string },
  worker: WorkerId,
): Said<typeof ExecutionFailedV1> {
  return say(ExecutionFailedV1, {
    epoch: message.data.epoch,
    worker,
    code: fault.code,
    permanent: PERMANENT.has(fault.code),
    because: fault.because.slice(0, BECAUSE_CHARACTERS_MAX) || fault.code,
    footprint: {
      touched: !UNTOUCHED.has(fault.code),
      processesStarted: 0,
      filesRead: 0,
      filesWritten: 0,
      bytesSent: 0,
      bytesReceived: 0,
      notes: [],
    },
    salvaged: [],
  });
}

const UNTOUCHED: ReadonlySet<string> = new Set([
  'container-not-running',
  'container-replaced',
  'cluster-unknown',
  'session-refused',
]);
const PERMANENT: ReadonlySet<string> = new Set([...UNTOUCHED, 'store-full', 'cancelled']);

// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import type { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import type { RequestOf } from '@impound/contracts/question.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { timeOf } from '@impound/contracts/time.ts';
import type { EvidenceSink, StoredRef } from '@impound/evidence/sink.ts';
import { UploadFault } from '@impound/evidence/upload-fault.ts';
import { uploaderSink } from '@impound/evidence/uploader-sink.ts';
import { evidenceWriter } from '@impound/evidence/writer.ts';
import type { Clusters } from '@impound/kubernetes/clusters.ts';
import { askUntilAnswered } from '@impound/runtime/ask.ts';
import { Later, messageOf, Never } from '@impound/runtime/fault.ts';
import type { House } from '@impound/runtime/service.ts';
import { traceHeaders } from '@impound/runtime/span.ts';
import { wait } from '@impound/runtime/wait.ts';
import type { Context, ContextOf } from '../handlers/target-resolved.ts';
import { contextItems } from './context-items.ts';

const GAPS_TOLD_MAX = 32;
const GAP_CHARACTERS_MAX = 500;
const STORE_AGAIN_MS = 2_000;
/** Where processors are few, what leads to the claim comes first. */
const CLAIM_FIRST_MS = 100;

/**
 * Stores what the API server tells of a pod: it is still there when the pod is gone a second later.
 * The cluster is asked before the store is, for it forgets; the store can wait a moment. What may
 * not be read is a gap and stops nothing.
 */
export function kubernetesContext(clusters: Clusters, house: House): Context {
  return {
    capture: async (of, signal) => {
      try {
        return await captured(clusters, { of, sink: sinkOf(house, of) }, signal);
      } catch (cause) {
        signal.throwIfAborted();
        throw contextFault(cause);
      }
    },
  };
}

/**
 * Why a context is not there, in the word that everybody else has for it: of a store that is full
 * or away the same is said whether it refuses a context or the evidence of a container.
 */
export function contextFault(cause: unknown): Later | Never {
  if (cause instanceof Never) return cause;
  const code = cause instanceof UploadFault ? cause.code : 'context-not-stored';
  return new Later(code, STORE_AGAIN_MS, messageOf(cause), { cause });
}

async function captured(
  clusters: Clusters,
  { of, sink }: { readonly of: ContextOf; readonly sink: EvidenceSink },
  signal: AbortSignal,
): Promise<ContextCapturedV1> {
  const { cluster, namespace, pod } = of.target;
  const connection = await clusters.connection(cluster);
  await using items = begun(contextItems(connection, { namespace, pod, uid: of.podUid }, signal));
  const header = {
    acquisitionId: of.acquisitionId,
    caseId: of.caseId,
    source: 'control-plane',
    startedAt: timeOf(Date.now()),
    target: formatTarget({ kind: 'kubernetes', cluster, namespace, pod }),
  } as const;
  await wait(CLAIM_FIRST_MS, signal);
  await using writer = await evidenceWriter({ sink, header }, signal);
  const gaps: string[] = [];
  for await (const { path: asked, content, verdict, because } of items) {
    if (content !== undefined) {
      await writer.file({ area: 'context', path: asked, mode: 0o440 }, content);
    }
    await writer.coverage({ asked, verdict, because });
    if (verdict !== 'got') gaps.push(`${asked}: ${because}`.slice(0, GAP_CHARACTERS_MAX));
  }
  const { objects } = await writer.end({ finishedAt: timeOf(Date.now()) });
  return { objects: objects.map(evidenceObject), gaps: gaps.slice(0, GAPS_TOLD_MAX) };
}

/** Asks for the first at once, whenever it is taken. */
function begun<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  const first = items.next();
  // Whoever takes it is told; nobody may come to it.
  first.catch(() => undefined);
  return (async function* () {
    const { value, done } = await first;
    if (done) return;
    yield value;
    yield* items;
  })();
}

function sinkOf(house: House, of: ContextOf): EvidenceSink {
  // Objects are written once, so a second try after an interruption needs a place of its own.
  const set = `context-${randomBytes(4).toString('hex')}`;
  return uploaderSink(async (name, signal) => {
    const wanted = { tenant: of.tenant, acquisitionId: of.acquisitionId, set, name };
    const request = { ...wanted, worker: house.worker } as RequestOf<typeof UploaderOpenV1>;
    return (await askUntilAnswered(house, { question: UploaderOpenV1, request }, signal)).url;
  }, UPLOADING);
}

/** Less than a handler has, so that the store's own words are told. Another attempt follows. */
const STORE_WAIT_MS = 60_000;
const UPLOADING = { headers: traceHeaders, retryMsMax: STORE_WAIT_MS };

function evidenceObject({ name, key = '', bytes, sha256 }: StoredRef): EvidenceObject {
  return { name, key, bytes, sha256 };
}

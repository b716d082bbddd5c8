// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import type { RequestOf } from '@impound/contracts/question.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { timeOf } from '@impound/contracts/time.ts';
import type { EvidenceSink, StoredRef } from '@impound/evidence/sink.ts';
import { uploaderSink } from '@impound/evidence/uploader-sink.ts';
import { evidenceWriter } from '@impound/evidence/writer.ts';
import type { Clusters } from '@impound/kubernetes/clusters.ts';
import { Later, messageOf } from '@impound/runtime/fault.ts';
import type { House } from '@impound/runtime/service.ts';
import { traceHeaders } from '@impound/runtime/span.ts';
import type { Context, ContextOf } from '../handlers/acquisition-requested.ts';
import { contextItems } from './context-items.ts';

const GAPS_TOLD_MAX = 32;
const GAP_CHARACTERS_MAX = 500;
const STORE_AGAIN_MS = 2_000;

/**
 * Stores what the API server tells of a pod, before the container is touched: it is still there
 * when the pod is gone a second later. What may not be read is a gap and stops nothing.
 */
export function kubernetesContext(clusters: Clusters, house: House): Context {
  return {
    keep: async (of, signal) => {
      const sink = sinkOf(house, of);
      const connection = await clusters.connection(of.cluster);
      const gaps: string[] = [];
      try {
        const { namespace, name: pod } = of.pod;
        const target = { kind: 'kubernetes', cluster: of.cluster, namespace, pod } as const;
        await using writer = await evidenceWriter(
          {
            sink,
            header: {
              acquisitionId: of.acquisitionId,
              caseId: of.caseId,
              source: 'control-plane',
              startedAt: timeOf(Date.now()),
              target: formatTarget(target),
            },
          },
          signal,
        );
        for await (const item of contextItems(connection, of.pod, signal)) {
          if (item.content !== undefined) {
            await writer.file({ area: 'context', path: item.path, mode: 0o440 }, item.content);
          }
          const { path: asked, verdict, because } = item;
          await writer.coverage({ asked, verdict, because });
          if (verdict !== 'got') gaps.push(`${asked}: ${because}`.slice(0, GAP_CHARACTERS_MAX));
        }
        const { objects } = await writer.end({ finishedAt: timeOf(Date.now()) });
        return { objects: objects.map(evidenceObject), gaps: gaps.slice(0, GAPS_TOLD_MAX) };
      } catch (cause) {
        signal.throwIfAborted();
        throw new Later('context-not-stored', STORE_AGAIN_MS, messageOf(cause), { cause });
      }
    },
  };
}

function sinkOf(house: House, of: ContextOf): EvidenceSink {
  // Objects are written once, so a second try after an interruption needs a place of its own.
  const set = `context-${randomBytes(4).toString('hex')}`;
  return uploaderSink(async (name, signal) => {
    const wanted = { tenant: of.tenant, acquisitionId: of.acquisitionId, set, name };
    const asked = { ...wanted, worker: house.worker } as RequestOf<typeof UploaderOpenV1>;
    return (await house.ask(UploaderOpenV1, asked, signal)).url;
  }, UPLOADING);
}

const UPLOADING = { headers: traceHeaders };

function evidenceObject({ name, key = '', bytes, sha256 }: StoredRef): EvidenceObject {
  return { name, key, bytes, sha256 };
}

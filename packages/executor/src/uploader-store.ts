// SPDX-License-Identifier: Apache-2.0
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import type { RequestOf } from '@impound/contracts/question.ts';
import type { EvidenceSink } from '@impound/evidence/sink.ts';
import { UploadFault, type UploadFaultCode } from '@impound/evidence/upload-fault.ts';
import { uploaderSink } from '@impound/evidence/uploader-sink.ts';
import { Later, Never } from '@impound/runtime/fault.ts';
import type { House } from '@impound/runtime/service.ts';
import { traceHeaders } from '@impound/runtime/span.ts';
import { backoffMs, wait } from '@impound/runtime/wait.ts';
import type { CaptureStore } from './ports.ts';

/**
 * Sends evidence through upload sessions: an executor never holds a store's credentials. A store
 * that is away or full is waited for so long, and the collector in the target waits with it.
 */
export function uploaderStore(house: House, { waitMs }: { readonly waitMs: number }): CaptureStore {
  const uploading = { headers: traceHeaders, retryMsMax: waitMs };
  return {
    sink: ({ tenant, acquisitionId, epoch }) =>
      inHouseWords(
        uploaderSink(async (name, signal) => {
          const wanted = { tenant, acquisitionId, set: `e${epoch}`, name, worker: house.worker };
          const asked = wanted as RequestOf<typeof UploaderOpenV1>;
          return (await patiently(() => house.ask(UploaderOpenV1, asked, signal), signal)).url;
        }, uploading),
      ),
  };
}

/** A bus or an uploader that restarts must not cost a collection that is under way. */
const SESSION_MS_MAX = 60_000;

async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const giveUpAt = Date.now() + SESSION_MS_MAX;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Later) || Date.now() > giveUpAt) throw error;
      await wait(backoffMs(attempt), signal);
    }
  }
}

function inHouseWords(sink: EvidenceSink): EvidenceSink {
  return {
    object: async (name, signal) => {
      const object = await sink.object(name, signal).catch(translated);
      return {
        part: (bytes, sha256Hex) => object.part(bytes, sha256Hex).catch(translated),
        complete: (whole) => object.complete(whole).catch(translated),
        abort: () => object.abort(),
      };
    },
  };
}

const AGAIN_MS = 2_000;

/** Another try has a session of its own: what was wrong with this one may not be with the next. */
const PASSING: ReadonlySet<UploadFaultCode> = new Set([
  'store-unreachable',
  'session-expired',
  'digest-mismatch',
  'part-conflict',
]);

function translated(cause: unknown): never {
  if (!(cause instanceof UploadFault)) throw cause;
  if (PASSING.has(cause.code)) throw new Later(cause.code, AGAIN_MS, cause.message, { cause });
  throw new Never(cause.code, cause.message, { cause });
}

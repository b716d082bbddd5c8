// SPDX-License-Identifier: Apache-2.0
import { UploaderInspectV1 } from '@impound/contracts/ask/uploader.inspect.v1.ts';
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import { UploaderReadV1 } from '@impound/contracts/ask/uploader.read.v1.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { ContextStoredV1 } from '@impound/contracts/context/stored.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import { answer, type House, on, service } from '@impound/runtime/service.ts';
import type * as z from 'zod';
import { addObjects } from './adapters/http-objects.ts';
import { listen, openApp } from './adapters/http-server.ts';
import { addUploads } from './adapters/http-uploads.ts';
import { openStore, storeOptions } from './adapters/open-store.ts';
import { urlSigner } from './adapters/url-signer.ts';
import { config } from './config.ts';
import { FENCED_SWEEP_MS, SWEEP_MS } from './domain/limits.ts';
import { contextCaptured, contextUnverified } from './handlers/context-captured.ts';
import { captureUnverified, evidenceCaptured } from './handlers/evidence-captured.ts';
import { openUploads } from './handlers/open-uploads.ts';
import { uploaderInspect } from './handlers/uploader-inspect.ts';
import { uploaderOpen } from './handlers/uploader-open.ts';
import { uploaderRead } from './handlers/uploader-read.ts';

/** Takes evidence in by signed URLs, reads it back, and gives it out: it alone has the store. */
export const uploader = service({
  name: 'uploader',
  config,
  open,
  says: [EvidenceStoredV1, EvidenceRejectedV1, ContextStoredV1],
  hears: [
    on(EvidenceCapturedV1, evidenceCaptured, captureUnverified),
    on(ContextCapturedV1, contextCaptured, contextUnverified),
  ],
  answers: [
    answer(UploaderOpenV1, uploaderOpen),
    answer(UploaderReadV1, uploaderRead),
    answer(UploaderInspectV1, uploaderInspect),
  ],
});

async function open(given: z.output<typeof config>, scope: AsyncDisposableStack, house: House) {
  const { log, stopping, ask } = house;
  const now = () => Date.now();
  const { store, findings } = await openStore(storeOptions(given), scope);
  for (const { level, ...finding } of findings) log.warn('evidence store', { level, ...finding });
  let base = given.UPLOADER_URL ?? '';
  const urls = urlSigner({ key: given.SIGNING_KEY, base: () => base, now });
  const uploads = openUploads({ ask, store, now });
  for (const session of (await store.unfinished?.()) ?? []) uploads.opened(session);
  const app = openApp(log);
  addUploads(app, { store, uploads, urls, stopping });
  addObjects(app, { store, urls, log, stopping });
  const at = { host: given.UPLOADER_HOST, port: given.UPLOADER_PORT };
  const port = await listen(app, at, log, scope);
  base ||= `http://127.0.0.1:${port}`;
  log.info('uploader listening', { port, url: base, store: store.kind });
  const fenced = { everyMs: FENCED_SWEEP_MS, sweep: () => uploads.sweep(stopping) };
  const abandoned = { everyMs: SWEEP_MS, sweep: () => store.sweep(Date.now()) };
  for (const one of [fenced, abandoned]) keepClean(one, house, scope);
  return { ask, store, uploads, urls, now, url: base };
}

/** Looks for uploads that nobody will complete, now and from time to time. */
function keepClean(
  cleaning: { readonly everyMs: number; readonly sweep: () => Promise<number> },
  { log }: House,
  scope: AsyncDisposableStack,
): void {
  const sweep = async () => {
    try {
      const swept = await cleaning.sweep();
      if (swept > 0) log.info('abandoned uploads removed', { swept });
    } catch (error) {
      log.warn('abandoned uploads not removed', { because: messageOf(error) });
    }
  };
  void sweep();
  const timer = setInterval(() => void sweep(), cleaning.everyMs).unref();
  scope.defer(() => clearInterval(timer));
}

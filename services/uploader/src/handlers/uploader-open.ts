// SPDX-License-Identifier: Apache-2.0
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import type { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import type { ReplyOf } from '@impound/contracts/question.ts';
import { timeOf } from '@impound/contracts/time.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { Later, Never } from '@impound/runtime/fault.ts';
import { type EvidenceStore, StoreFault } from '../domain/evidence-store.ts';
import { PART_BYTES_MAX, UPLOAD_URL_MS } from '../domain/limits.ts';
import type { SessionName } from '../domain/object-name.ts';
import { refuseOpening } from '../domain/opening.ts';
import type { OpenUploads } from './open-uploads.ts';

/** Writes URLs that only the uploader can have written. */
export interface UploadUrls {
  upload(session: SessionName, expiresMs: number): string;
}

const FULL_MS = 5_000;

/** Opens an upload for who may write this object now, and for nobody else. */
export async function uploaderOpen(
  session: SessionName,
  deps: {
    readonly ask: Ask;
    readonly store: Pick<EvidenceStore, 'open'>;
    readonly uploads: Pick<OpenUploads, 'opened'>;
    readonly urls: UploadUrls;
    readonly now: () => number;
  },
  signal: AbortSignal,
): Promise<ReplyOf<typeof UploaderOpenV1>> {
  const { tenant, acquisitionId } = session;
  const head = await deps.ask(LedgerHeadV1, { tenant, acquisitionId }, signal);
  const refusal = refuseOpening(session, head);
  if (refusal !== undefined) throw new Never(refusal.code, refusal.because);
  await deps.store.open(session).catch((error: unknown) => {
    if (!(error instanceof StoreFault)) throw error;
    throw new Later(error.code, FULL_MS, error.message, { cause: error });
  });
  deps.uploads.opened(session);
  const expiresMs = deps.now() + UPLOAD_URL_MS;
  const url = deps.urls.upload(session, expiresMs);
  return { url, expiresAt: timeOf(expiresMs), partBytesMax: PART_BYTES_MAX };
}

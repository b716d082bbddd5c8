// SPDX-License-Identifier: Apache-2.0
import { LedgerHistoryV1 } from '@impound/contracts/ask/ledger.history.v1.ts';
import { Entry } from '@impound/contracts/entry.ts';
import type { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import type { EvidenceObject, StoredObject } from '@impound/contracts/evidence.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { timeOf } from '@impound/contracts/time.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { Later } from '@impound/runtime/fault.ts';
import type { Message } from '@impound/runtime/message.ts';
import { measuresOf } from '@impound/runtime/metrics.ts';
import { type Said, say } from '@impound/runtime/say.ts';
import { METRICS } from '@impound/runtime/semantics.ts';
import type { GivenUp } from '@impound/runtime/service.ts';
import { type EvidenceStore, StoreFault } from '../domain/evidence-store.ts';
import { isContextSet } from '../domain/opening.ts';
import { mismatch, placeOf, type Rejection, type Scope } from '../domain/verification.ts';

type Outcome = Said<typeof EvidenceStoredV1 | typeof EvidenceRejectedV1>;

interface Deps {
  readonly ask: Ask;
  readonly store: Pick<EvidenceStore, 'kind' | 'verify' | 'retain'>;
  readonly now: () => number;
}

/** Reads every object of a capture, and of the context before it, back from the store. */
export async function evidenceCaptured(
  message: Message<typeof EvidenceCapturedV1>,
  deps: Deps,
  signal: AbortSignal,
): Promise<Outcome> {
  const { epoch, objects } = message.data;
  const { tenant, acquisitionId } = message;
  const context = await contextObjects(message, deps.ask, signal);
  const wanted = [
    ...objects.map((object) => ({ object, sets: [`e${epoch}`] })),
    ...context.map((object) => ({
      object,
      sets: [object.key.split('/').at(-2) ?? ''].filter(isContextSet),
    })),
  ];
  const stored: StoredObject[] = [];
  for (const { object, sets } of wanted) {
    const scope = { tenant, acquisitionId, sets };
    const result = await readBack({ object, scope, cause: message.id }, deps, signal);
    if ('code' in result) return say(EvidenceRejectedV1, { epoch, ...result });
    measuresOf('uploader').count(METRICS.verified, result.bytes);
    stored.push(result);
  }
  return say(EvidenceStoredV1, { epoch, objects: stored });
}

/** What is said when a capture cannot be read back at all. */
export function captureUnverified(
  message: Message<typeof EvidenceCapturedV1>,
  fault: GivenUp,
): Outcome {
  const because = fault.because.slice(0, BECAUSE_CHARACTERS_MAX) || fault.code;
  return say(EvidenceRejectedV1, { epoch: message.data.epoch, code: fault.code, because });
}

const BECAUSE_CHARACTERS_MAX = 512;

const STILL_READING_MS = 1_000;
const AWAY_MS = 15_000;

/** Nothing is said to be stored before it was read, found right, and locked, in this order. */
async function readBack(
  of: { readonly object: EvidenceObject; readonly scope: Scope; readonly cause: string },
  deps: Deps,
  signal: AbortSignal,
): Promise<StoredObject | Rejection> {
  const place = placeOf(of.object, of.scope);
  if ('code' in place) return place;
  const { store } = deps;
  try {
    const found = await store.verify({ object: place, cause: of.cause }, signal);
    const rejection = mismatch(of.object, found);
    if (rejection !== undefined) return rejection;
    const versionId = found?.versionId;
    const retention = await store.retain({ object: place, versionId });
    const version = versionId === undefined ? {} : { versionId };
    const verifiedAt = timeOf(deps.now());
    return { ...of.object, store: store.kind, ...version, verifiedAt, retention };
  } catch (cause) {
    throw later(of.object, cause, signal);
  }
}

function later(object: EvidenceObject, cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) {
    const message = `${object.key} is still being read`;
    return new Later('still-reading', STILL_READING_MS, message, { cause });
  }
  if (!(cause instanceof StoreFault)) return cause;
  return new Later(cause.code, AWAY_MS, cause.message, { cause });
}

/** The objects that discovery stored before the capture, as the chain names them. */
async function contextObjects(
  message: Message<typeof EvidenceCapturedV1>,
  ask: Ask,
  signal: AbortSignal,
): Promise<readonly EvidenceObject[]> {
  const { tenant, subject: acquisitionId } = message.event;
  let after = 0;
  while (after < message.version) {
    const { entries } = await ask(LedgerHistoryV1, { tenant, acquisitionId, after }, signal);
    for (const { text } of entries) {
      const entry = Entry.parse(JSON.parse(text));
      after = entry.acqSeq;
      if (entry.event.type !== TargetResolvedV1.type) continue;
      return TargetResolvedV1.shape.parse(entry.event.data).context.objects;
    }
    if (entries.length === 0) break;
  }
  return [];
}

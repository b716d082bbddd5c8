// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { CallbackDeliveredV1 } from '@impound/contracts/callback/delivered.v1.ts';
import { CallbackFailedV1 } from '@impound/contracts/callback/failed.v1.ts';
import { CallbackRequestedV1 } from '@impound/contracts/callback/requested.v1.ts';
import type { Entry } from '@impound/contracts/entry.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { EventId } from '@impound/contracts/ids.ts';
import type { Integrations } from '@impound/contracts/integration.ts';
import { millisecondsOf } from '@impound/contracts/time.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { becauseOf, Later } from '@impound/runtime/fault.ts';
import { childId } from '@impound/runtime/ids.ts';
import type { Message } from '@impound/runtime/message.ts';
import { measuresOf } from '@impound/runtime/metrics.ts';
import { type Said, say } from '@impound/runtime/say.ts';
import { LABEL, METRICS } from '@impound/runtime/semantics.ts';
import type { GivenUp } from '@impound/runtime/service.ts';
import { againOf, bodyOf, callbackFor, type Posted, type Posting } from '../domain/callback.ts';
import { type ChainOf, entriesOf } from './chain-read.ts';

/** What callbacks need of the world. */
export interface CallbackDeps {
  readonly ask: Ask;
  readonly now: () => number;
  readonly integrations: { current(): Promise<Integrations> };
  readonly post: (posting: Posting, signal: AbortSignal) => Promise<Posted>;
}

const NOT_YET = 'not-yet';

type Told = Said<typeof CallbackDeliveredV1 | typeof CallbackFailedV1> | undefined;

/** An attempt that failed is followed by another, when it is time for it. */
export async function callbackFailed(
  message: Message<typeof CallbackFailedV1>,
  deps: CallbackDeps,
  signal: AbortSignal,
): Promise<Told> {
  const { about, attempt, againAt } = message.data;
  if (againAt === undefined) return undefined;
  const leftMs = millisecondsOf(againAt) - deps.now();
  if (leftMs > 0) throw new Later(NOT_YET, leftMs, `it is tried again at ${againAt}`);
  const { tenant, acquisitionId } = message;
  return await callBack(
    { of: { tenant, acquisitionId } as ChainOf, about, attempt: attempt + 1 },
    deps,
    signal,
  );
}

/** Tells whoever asked of one event of its chain. What came of it is said, so that it is kept. */
export async function callBack(
  it: { readonly of: ChainOf; readonly about: string; readonly attempt: number },
  deps: CallbackDeps,
  signal: AbortSignal,
): Promise<Told> {
  const { about, attempt } = it;
  const { integrations } = await deps.integrations.current();
  // Where nobody wants to be told, no chain is read for it.
  if (integrations.every(({ callback }) => callback === undefined)) return undefined;
  const found = await untold(it, deps.ask, signal);
  if (found === undefined) return undefined;
  const { entry, request } = found;
  const callback = callbackFor(entry, integrations, request);
  if (callback === undefined) return undefined;
  const told = numbered({ about: EventId.parse(about), attempt });
  const { url, secrets } = callback;
  const body = bodyOf(entry, request);
  const posted = await deps.post({ url, id: told.messageId, secrets, body }, signal);
  if (posted.ok) return say(CallbackDeliveredV1, { ...told, status: posted.status });
  // A stop is no answer of the other side: the message comes again.
  signal.throwIfAborted();
  const again = againOf({ attempt, atMs: deps.now(), gone: posted.gone });
  return failedTold({ ...told, because: becauseOf(posted.because), ...again }, posted.gone);
}

/**
 * An attempt that could not even be made, because the ledger was away or for a fault of ours, has
 * failed like any other: it is on record, and the next one follows.
 */
export function callbackUntold(message: Message<EventContract>, { code, because }: GivenUp) {
  const { id, data, recordedAt } = message;
  const earlier = message.type === CallbackFailedV1.type ? (data as CallbackFailedV1) : undefined;
  if (message.type === CallbackRequestedV1.type) {
    return failedTold({ ...numbered(data as CallbackRequestedV1), because });
  }
  // A bus that forgot how long to wait has handed it out too often: it waits on, as a new message.
  if (earlier !== undefined && code === NOT_YET) return failedTold(earlier);
  const about = EventId.parse(earlier?.about ?? id);
  const attempt = (earlier?.attempt ?? 0) + 1;
  const again = againOf({ attempt, atMs: millisecondsOf(earlier?.againAt ?? recordedAt) });
  return failedTold({ ...numbered({ about, attempt }), because, ...again });
}

/** Every attempt has the same id of a message, by which a receiver knows it. */
function numbered({ about, attempt }: { readonly about: EventId; readonly attempt: number }) {
  return { messageId: EventId.parse(childId(about, 'callback')), about, attempt };
}

/** That it is given up is the end of it: on the chain, and for an alarm. */
function failedTold(data: CallbackFailedV1, gone = false) {
  const outcome = gone ? 'gone' : 'exhausted';
  if (data.againAt === undefined) {
    measuresOf('gateway').count(METRICS.untellable, 1, { [LABEL.outcome]: outcome });
  }
  return say(CallbackFailedV1, data);
}

/** The entry to tell of; none where the chain says what came of this attempt. */
async function untold(
  { of, about, attempt }: Parameters<typeof callBack>[0],
  ask: Ask,
  signal: AbortSignal,
): Promise<{ readonly entry: Entry; readonly request: AcquisitionRequestedV1 } | undefined> {
  let request: AcquisitionRequestedV1 | undefined;
  let found: Entry | undefined;
  for await (const { entry } of entriesOf(of, { ask, after: 0 }, signal)) {
    if (entry.acqSeq === 1) request = entry.event.data as AcquisitionRequestedV1;
    if (entry.event.id === about) found = entry;
    if (isToldOf(entry.event, about, attempt)) return undefined;
  }
  return found && request && { entry: found, request };
}

/** A message that comes again is not posted again once it is on record what came of it. */
function isToldOf({ type, data }: Envelope, about: string, attempt: number): boolean {
  const isOutcome = type === CallbackDeliveredV1.type || type === CallbackFailedV1.type;
  return isOutcome && data['about'] === about && Number(data['attempt']) >= attempt;
}

// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { CallbackDeliveredV1 } from '@impound/contracts/callback/delivered.v1.ts';
import { CallbackFailedV1 } from '@impound/contracts/callback/failed.v1.ts';
import { CallbackRequestedV1 } from '@impound/contracts/callback/requested.v1.ts';
import { endsAcquisition } from '@impound/contracts/chain.ts';
import type { Entry } from '@impound/contracts/entry.ts';
import type { EventId } from '@impound/contracts/ids.ts';
import type { Callback, Integration } from '@impound/contracts/integration.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { linksOf } from './acquisition-view.ts';

/** A message to whoever asked, and how it is signed. */
export interface Posting {
  readonly url: string;
  readonly id: string;
  readonly secrets: readonly string[];
  readonly body: string;
}

/** What came of it; `gone`: it is not to be tried again. */
export type Posted =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly because: string; readonly gone: boolean };

const MINUTE = 60;
const HOUR = 3_600;
/** Seconds after each attempt that failed: a day in all, as Standard Webhooks advises. */
const AGAIN_SECONDS = [5, 30, 2 * MINUTE, 10 * MINUTE, HOUR, 4 * HOUR, 18 * HOUR] as const;

/** When it is tried again after this attempt, in milliseconds; undefined: never. */
function againMs(attempt: number): number | undefined {
  const seconds = AGAIN_SECONDS[attempt - 1];
  return seconds === undefined ? undefined : seconds * 1_000;
}

/** What is known of an attempt that failed. */
export interface Attempt {
  readonly attempt: number;
  /** When it failed, in milliseconds. */
  readonly atMs: number;
  /** True where the other side wants to hear no more of it. */
  readonly gone?: boolean;
}

/** The part of `callback.failed` that tells whether it goes on. */
export function againOf({ attempt, atMs, gone = false }: Attempt): {
  againAt?: ReturnType<typeof timeOf>;
} {
  const delayMs = gone ? undefined : againMs(attempt);
  return delayMs === undefined ? {} : { againAt: timeOf(atMs + delayMs) };
}

/** A callback that is not tried again, and why its last attempt failed. */
export interface GivenUp {
  readonly about: EventId;
  readonly attempt: number;
  readonly because: string;
  readonly at: string;
}

/** The callbacks of one chain that are given up as it stands now. */
export function givenUpIn(chain: readonly Entry[]): readonly GivenUp[] {
  const given = new Map<string, GivenUp>();
  for (const { event, recordedAt } of chain) {
    if (!ATTEMPTS.has(event.type)) continue;
    // Whatever comes of a further attempt, what was given up before it is not the last word.
    given.delete(String(event.data['about']));
    if (event.type !== CallbackFailedV1.type) continue;
    const { about, attempt, because, againAt } = event.data as CallbackFailedV1;
    if (againAt === undefined) given.set(about, { about, attempt, because, at: recordedAt });
  }
  return [...given.values()];
}

const ATTEMPTS: ReadonlySet<string> = new Set([
  CallbackDeliveredV1.type,
  CallbackFailedV1.type,
  CallbackRequestedV1.type,
]);

/** The callback that is to hear of this entry; undefined where nobody is. */
export function callbackFor(
  { event }: Entry,
  integrations: readonly Integration[],
  request: AcquisitionRequestedV1 | undefined,
): Callback | undefined {
  const found = integrations.find(
    ({ id, tenant }) => id === request?.requestedBy.id && tenant === event.tenant,
  );
  if (found === undefined || found.revokedAt !== undefined) return undefined;
  return found.callback?.on.includes(kindOf(event.type)) ? found.callback : undefined;
}

function kindOf(type: string): Callback['on'][number] {
  return endsAcquisition(type) ? 'ended' : 'approval-needed';
}

/** What is told: enough to go and look, and nothing of the evidence. The same for each attempt. */
export function bodyOf(entry: Entry, request: AcquisitionRequestedV1): string {
  const { event, acq, recordedAt } = entry;
  const ended = endsAcquisition(event.type);
  const { code, because, manifest, partial, joins } = event.data;
  const facts = Object.entries({ code, because, manifest, partial, joins });
  const told = ended ? facts.filter(([, value]) => value !== undefined) : [];
  return JSON.stringify({
    type: ended ? event.type.slice(0, event.type.lastIndexOf('.')) : 'acquisition.approval-needed',
    timestamp: recordedAt,
    data: {
      acquisitionId: acq,
      caseId: request.caseId,
      target: formatTarget(request.target),
      status: ended ? event.type.split('.')[1] : 'awaiting-approval',
      ...(request.finding === undefined ? {} : { finding: request.finding }),
      ...Object.fromEntries(told),
      links: linksOf(acq),
    },
  });
}

// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import type { Integration } from '@impound/contracts/integration.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import type { Caller } from './caller.ts';
import type { Wanted } from './policy.ts';

/** The words from which the ids of an order follow, so that a repeat finds what the first began. */
export interface Causes {
  /** The order itself: the newest first, then those of which it may be a repeat. */
  readonly orders: readonly string[];
  /** True where the sender gave the key: then a repeat must be the same order. */
  readonly keyed: boolean;
  /** What gathers findings: this window, and the one before it. Absent: each is its own. */
  readonly storm?: { readonly now: string; readonly before: string } | undefined;
}

const SECOND_MS = 1_000;
const STORM_SECONDS = 300;

/**
 * Windows are counted from 1970, and each order also looks at the one before its own: what comes
 * again within a whole window is always found, and never what is older than two.
 */
export function causesOf(
  caller: Caller,
  order: { readonly data: AcquisitionRequestedV1; readonly key: string | undefined },
  nowMs: number,
): Causes {
  const { actor, tenant, integration } = caller;
  const who = [tenant, actor.kind, actor.id];
  const { data } = order;
  const storm = windowsOf(stormSecondsOf(integration), nowMs)?.map((window) =>
    JSON.stringify(['storm', ...who, ...gathered(data), window]),
  );
  const [now, before] = storm ?? [];
  return {
    ...ordersOf(caller, order, nowMs),
    storm: now === undefined || before === undefined ? undefined : { now, before },
  };
}

/** The same without what gathers: it needs no decision of a policy. */
export function ordersOf(
  { actor, tenant, integration }: Caller,
  { data, key }: { readonly data: Wanted; readonly key: string | undefined },
  nowMs: number,
): Pick<Causes, 'orders' | 'keyed'> {
  const who = [tenant, actor.kind, actor.id];
  if (key !== undefined) return { orders: [JSON.stringify([...who, key])], keyed: true };
  return { orders: repeats(who, data, integration, nowMs), keyed: false };
}

/** True where each order of an integration is an acquisition of its own. */
export function gathersNothing({ integration }: Caller): boolean {
  return stormSecondsOf(integration) === 0;
}

function repeats(
  who: readonly string[],
  { finding, target }: Wanted,
  { repeatSeconds }: Integration,
  nowMs: number,
): string[] {
  if (finding === undefined) return [];
  const windows = windowsOf(repeatSeconds, nowMs) ?? [];
  const about = ['finding', ...who, finding.uid, formatTarget(target)];
  return windows.map((window) => JSON.stringify([...about, window]));
}

/** Findings that ask for the same things in the same case under the same terms. */
function gathered(data: AcquisitionRequestedV1): unknown[] {
  const { caseId, target, profile, paths, methods, policy } = data;
  return [caseId, formatTarget(target), profile, paths, methods ?? null, policy.decision];
}

function windowsOf(seconds: number, nowMs: number): readonly [number, number] | undefined {
  if (seconds === 0) return undefined;
  const window = Math.floor(nowMs / (seconds * SECOND_MS));
  return [window, window - 1];
}

function stormSecondsOf({ stormSeconds, kind }: Integration): number {
  return stormSeconds ?? (kind === 'integration' ? STORM_SECONDS : 0);
}

/** The key of a header: a structured string (RFC 9651) in its quotes, or the bare text. */
export function keyOf(header: string): string {
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header)?.[1];
  return quoted === undefined ? header : quoted.replaceAll(/\\(["\\])/g, '$1');
}

// SPDX-License-Identifier: Apache-2.0
import type { Status } from '@impound/contracts/status.ts';

/** An open chain as its index shows it, without the content of its events. */
export interface OpenTypes {
  /** The types of its events, oldest first. */
  readonly types: readonly string[];
  /** Whether the request needs nobody's approval. */
  readonly allowed: boolean;
}

/** The states that an open acquisition can be in. */
export const OPEN_STATES = [
  'resolving',
  'checking',
  'awaiting-approval',
  'assigned',
  'executing',
  'storing',
  'deciding',
  'cancelling',
] as const satisfies readonly Status[];

export type OpenState = (typeof OPEN_STATES)[number];

const OVER = [
  'execution.failed.v1',
  'execution.lapsed.v1',
  'evidence.rejected.v1',
  'evidence.stored.v1',
];

/** The word of statusOf() in contracts/status.ts, from the types alone. */
export function openState({ types, allowed }: OpenTypes): OpenState {
  const has = (type: string) => types.includes(type);
  const missing = has('target.missing.v1');
  if (has('cancellation.requested.v1')) return 'cancelling';
  if (!has('target.resolved.v1') && !missing) return 'resolving';
  if (!has('access.checked.v1') && !missing) return 'checking';
  if (!allowed && !has('acquisition.approved.v1')) return 'awaiting-approval';
  return epochState(types);
}

function epochState(types: readonly string[]): OpenState {
  const assigned = types.lastIndexOf('acquisition.assigned.v1');
  const epoch = types.slice(assigned + 1);
  if (assigned === -1 || OVER.some((type) => epoch.includes(type))) return 'deciding';
  if (epoch.includes('evidence.captured.v1')) return 'storing';
  return epoch.includes('execution.started.v1') ? 'executing' : 'assigned';
}

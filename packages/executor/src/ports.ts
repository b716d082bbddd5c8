// SPDX-License-Identifier: Apache-2.0
import type { EvidenceSink } from '@impound/evidence/sink.ts';
import type { ShellTarget } from './shell.ts';

/** What the control plane says of a container right now. */
export interface Seen {
  readonly state: 'running' | 'waiting' | 'terminated' | 'gone';
  /** With its runtime, e.g. containerd://…: another one after each restart. */
  readonly containerId?: string | undefined;
}

/** Looks at a container without touching it. */
export interface Presence {
  look(target: ShellTarget, signal: AbortSignal): Promise<Seen>;
}

/** Whose objects a sink takes. */
export interface CaptureOf {
  readonly tenant: string;
  readonly acquisitionId: string;
  readonly epoch: number;
}

/** Gives a place for the objects of one execution. */
export interface CaptureStore {
  sink(of: CaptureOf): EvidenceSink;
}

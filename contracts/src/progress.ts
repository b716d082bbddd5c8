// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, Count, Epoch, Tenant, Time, text, WorkerId } from './ids.ts';

/** A worker's heartbeat: core NATS, lossy, for people and for the lease clock. Never an entry. */
export const Progress = z.object({
  tenant: Tenant,
  acquisitionId: AcquisitionId,
  epoch: Epoch,
  worker: WorkerId,
  at: Time,
  phase: text(64),
  files: Count,
  bytes: Count,
});
export type Progress = z.output<typeof Progress>;

/** A worker says that it lives this often. */
export const HEARTBEAT_MS = 5_000;
/** An epoch lapses when its worker was not heard for this long. */
export const LEASE_MS = 30_000;

export function progressSubject(tenant: string, acquisitionId: string): string {
  return ['impound.v1.progress', tenant, acquisitionId].join('.');
}

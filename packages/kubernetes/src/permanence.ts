// SPDX-License-Identifier: Apache-2.0
import { KubernetesFault, type KubernetesFaultCode } from './fault.ts';

/** What may pass by itself: the same call can work later. Everything else needs a person. */
const PASSING: ReadonlySet<KubernetesFaultCode> = new Set([
  'api-error',
  'conflict',
  'credentials-failed',
  'node-unreachable',
  'outcome-unknown',
  'pod-not-scheduled',
  'timeout',
  'too-many-requests',
  'unreachable',
]);

/** Whether trying the same again cannot help. Anything that is no KubernetesFault may pass. */
export function isPermanent(error: unknown): error is KubernetesFault {
  return error instanceof KubernetesFault && !PASSING.has(error.code);
}

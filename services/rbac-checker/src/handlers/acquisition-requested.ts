// SPDX-License-Identifier: Apache-2.0
import type { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import type { Right } from '@impound/contracts/permissions.ts';
import type { Target } from '@impound/contracts/target.ts';
import type { Message } from '@impound/runtime/message.ts';
import type { Said } from '@impound/runtime/say.ts';
import { rightsNeeded } from '../domain/ladder.ts';

/** A pod that is named and not found yet. */
export type NamedPod = Pick<Target, 'cluster' | 'namespace'> & { readonly pod: string };

/** Asks before anybody needs to know. What came of it is found by the acquisition's id. */
export interface Foresight {
  foresee(acquisitionId: string, pod: NamedPod, rights: readonly Right[]): void;
}

/**
 * Asks the cluster while discovery looks for the pod: whoever hears that it was found has the
 * answers. Nothing is said, and a pod that is not named is not asked for.
 */
export async function acquisitionRequested(
  message: Message<typeof AcquisitionRequestedV1>,
  deps: { readonly foresight: Foresight; readonly ephemeral: boolean },
): Promise<Said<never> | undefined> {
  const { cluster, namespace, pod } = message.data.target;
  if (pod === undefined) return undefined;
  const rights = rightsNeeded(deps.ephemeral);
  deps.foresight.foresee(message.acquisitionId, { cluster, namespace, pod }, rights);
  return undefined;
}

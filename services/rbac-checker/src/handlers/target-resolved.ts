// SPDX-License-Identifier: Apache-2.0
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import type { Right } from '@impound/contracts/permissions.ts';
import type { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import { type Said, say } from '@impound/runtime/say.ts';
import type { GivenUp } from '@impound/runtime/service.ts';
import { grantManifest, missingOf } from '../domain/grant.ts';
import { type Grants, ladderFor, rightsNeeded, unknownGrants } from '../domain/ladder.ts';
import type { NamedPod } from './acquisition-requested.ts';

/** What this handler needs of the world. An adapter fulfils it; the handler never knows which. */
export interface AccessReview {
  /** The route of the executor that collects in this cluster. */
  executor(cluster: string): Promise<string>;
  /** The name of the account that is asked about; undefined where the cluster does not say. */
  account(cluster: string, signal: AbortSignal): Promise<string | undefined>;
  granted(
    of: {
      readonly acquisitionId: string;
      readonly target: NamedPod;
      readonly rights: readonly Right[];
    },
    signal: AbortSignal,
  ): Promise<Grants>;
}

/** Checks each right that some method needs, and says the ladder. */
export async function targetResolved(
  message: Message<typeof TargetResolvedV1>,
  deps: { readonly access: AccessReview; readonly ephemeral: boolean },
  signal: AbortSignal,
): Promise<Said<typeof AccessCheckedV1>> {
  const { target, container } = message.data;
  const { access, ephemeral } = deps;
  const { acquisitionId } = message;
  const rights = rightsNeeded(ephemeral);
  const [executor, grants] = await Promise.all([
    access.executor(target.cluster),
    access.granted({ acquisitionId, target, rights }, signal),
  ]);
  const missing = missingOf(grants);
  const account = missing.length === 0 ? undefined : await access.account(target.cluster, signal);
  const grant = grantManifest(target, [{ who: 'executor', account, rights: missing }]);
  return say(AccessCheckedV1, {
    ladder: ladderFor({ target, container, executor, ephemeral }, grants),
    ...(grant === undefined ? {} : { grant }),
  });
}

/** Where nothing could be asked, every right is unknown: honest, and worth a try. */
export function accessUnchecked(
  message: Message<typeof TargetResolvedV1>,
  fault: GivenUp,
): Said<typeof AccessCheckedV1> {
  const { target, container } = message.data;
  const grants = unknownGrants(fault.because);
  const sought = { target, container, executor: undefined, ephemeral: undefined };
  return say(AccessCheckedV1, { ladder: ladderFor(sought, grants) });
}

// SPDX-License-Identifier: Apache-2.0
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { findingRight } from '@impound/contracts/permissions.ts';
import type { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import type { Message } from '@impound/runtime/message.ts';
import { type Said, say } from '@impound/runtime/say.ts';
import type { GivenUp } from '@impound/runtime/service.ts';
import { grantManifest, lacksOf, missingOf } from '../domain/grant.ts';
import { type Grants, ladderFor, rightsNeeded, unknownGrants } from '../domain/ladder.ts';
import type { AccessReview } from './target-resolved.ts';

type Outcome = Said<typeof AccessCheckedV1> | undefined;

/** Discovery was refused the pod: who grants that should hear of all that is missing at once. */
export async function targetMissing(
  message: Message<typeof TargetMissingV1>,
  deps: { readonly access: AccessReview; readonly ephemeral: boolean },
  signal: AbortSignal,
): Promise<Outcome> {
  const { withheld } = message.data;
  if (withheld === undefined) return undefined;
  const { target } = withheld;
  const { access, ephemeral } = deps;
  const [executor, account, grants] = await Promise.all([
    access.executor(target.cluster),
    access.account(target.cluster, signal),
    grantsOf(message, deps, signal),
  ]);
  const discovery = { account: withheld.account, rights: [findingRight(target)] };
  const lacks = lacksOf(discovery, { account, rights: missingOf(grants) });
  const grant = grantManifest(target, lacks);
  const ladder = ladderFor({ target, container: undefined, executor, ephemeral }, grants);
  return say(AccessCheckedV1, { ladder, ...(grant === undefined ? {} : { grant }) });
}

/** Rights are asked for by the pod's name; which pods a selector fits is what nobody could see. */
async function grantsOf(
  { acquisitionId, data }: Message<typeof TargetMissingV1>,
  { access, ephemeral }: { readonly access: AccessReview; readonly ephemeral: boolean },
  signal: AbortSignal,
): Promise<Grants> {
  const { cluster = '', namespace = '', pod } = data.withheld?.target ?? {};
  if (pod === undefined) return unknownGrants('which pods the selector fits was not to be seen');
  const rights = rightsNeeded(ephemeral);
  const target = { cluster, namespace, pod };
  return await access.granted({ acquisitionId, target, rights }, signal);
}

/** Nobody could be asked: the end of the acquisition tells of discovery's right alone. */
export function accessUnknown(
  { data }: Message<typeof TargetMissingV1>,
  fault: GivenUp,
): Said<typeof AccessCheckedV1> {
  const target = { namespace: data.withheld?.target.namespace ?? '' };
  const sought = { target, container: undefined, executor: undefined, ephemeral: undefined };
  return say(AccessCheckedV1, { ladder: ladderFor(sought, unknownGrants(fault.because)) });
}

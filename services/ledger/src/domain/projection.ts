// SPDX-License-Identifier: Apache-2.0
import { actorIn } from '@impound/contracts/actor.ts';
import { endsAcquisition } from '@impound/contracts/chain.ts';
import { type Envelope, serviceOf } from '@impound/contracts/envelope.ts';
import { LogBeganV1 } from '@impound/contracts/log/began.v1.ts';
import { formatTarget, type Target } from '@impound/contracts/target.ts';
import { contractOf } from './contracts.ts';

/** What the index of the log keeps of an event: made from its bytes, and never the truth. */
export interface Projection {
  readonly actor: string;
  readonly speaker: string;
  readonly target: string | null;
  readonly ends: boolean;
}

/** Reads it from an event that fits its contract. */
export function projectionOf(event: Envelope): Projection {
  const named = actorIn(event.data) as { readonly id: string } | undefined;
  const { target } = event.data;
  const begins = contractOf(event.type)?.begins === true && target !== undefined;
  return {
    actor: named?.id ?? event.source,
    speaker: serviceOf(event.source),
    target: begins ? formatTarget(target as Target) : null,
    // Nobody waits for the chain of the log itself: it is never open.
    ends: endsAcquisition(event.type) || event.type === LogBeganV1.type,
  };
}

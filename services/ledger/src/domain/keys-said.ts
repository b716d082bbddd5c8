// SPDX-License-Identifier: Apache-2.0
import type { Envelope } from '@impound/contracts/envelope.ts';
import { KeyRegisteredV1 } from '@impound/contracts/key/registered.v1.ts';
import { KeyRetiredV1 } from '@impound/contracts/key/retired.v1.ts';
import { LogBeganV1 } from '@impound/contracts/log/began.v1.ts';
import type { LogKey } from '@impound/contracts/log-key.ts';

/** What an entry says of a key: an index of it, like the columns beside an entry. */
export interface KeySaid extends LogKey {
  readonly change: 'registered' | 'retired';
  readonly idx: number;
}

/** What this entry says of keys; undefined where its data is not what its type says. */
export function keysSaidBy(
  { type, data }: Pick<Envelope, 'type' | 'data'>,
  idx: number,
): readonly KeySaid[] | undefined {
  if (type === LogBeganV1.type) {
    const began = LogBeganV1.shape.safeParse(data);
    return began.data?.keys.map((key): KeySaid => ({ ...key, change: 'registered', idx }));
  }
  const shape = {
    [KeyRegisteredV1.type]: KeyRegisteredV1.shape,
    [KeyRetiredV1.type]: KeyRetiredV1.shape,
  }[type];
  if (shape === undefined) return [];
  const said = shape.safeParse(data);
  if (!said.success) return undefined;
  const { role, publicKey } = said.data;
  return [{ role, publicKey, idx, change: type === KeyRetiredV1.type ? 'retired' : 'registered' }];
}

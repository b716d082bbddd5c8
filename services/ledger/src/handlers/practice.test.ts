// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PARTIES } from '@impound/contracts/parties.ts';
import { isSay, type Say } from '../domain/say.ts';
import { readingAll } from './practice.ts';

test('all that services say is read, and none of it is refused', async () => {
  const read = (await readingAll()).map((exercise) => exercise() as Say);
  assert.deepEqual(
    read.filter((one) => !isSay(one)),
    [],
  );
  const said = Object.entries(PARTIES).flatMap(([name, { says }]) =>
    name === 'ledger' ? [] : says,
  );
  const types = read.map(({ event }) => event.type);
  assert.deepEqual(types.toSorted(), said.toSorted());
});

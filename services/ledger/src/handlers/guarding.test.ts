// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Later } from '@impound/runtime/fault.ts';
import type { Log } from '@impound/runtime/log.ts';
import { guarding } from './guarding.ts';

const QUIET: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test('guards that are lost are put on record once, and again when others are', async () => {
  const said: { guardedAt: string; faults: readonly string[] }[] = [];
  const stop = new AbortController();
  const looks = [[], new Later('away', 1, 'away'), ['one'], ['one'], ['one', 'two'], [], ['one']];
  let errors = 0;
  await guarding(
    {
      guardFaults: async () => {
        const look = looks.shift();
        if (look instanceof Error) throw look;
        if (look === undefined) stop.abort();
        return look ?? [];
      },
      guardMs: 1,
      logging: { ...QUIET, error: () => void errors++ },
      sayOwn: async (contract, data) => {
        assert.equal(contract.type, 'guards.broken.v1');
        return said.push(data as never);
      },
    },
    stop.signal,
  );
  assert.deepEqual(
    said.map(({ faults }) => faults),
    [['one'], ['one', 'two'], ['one']],
  );
  assert.equal(errors, 4);
  assert.ok(said.every(({ guardedAt }) => Date.parse(guardedAt) <= Date.now()));
});

test('a look that is never answered does not keep a ledger from stopping', async () => {
  const stop = new AbortController();
  const looking = Promise.withResolvers<void>();
  const guardFaults = () => {
    looking.resolve();
    return new Promise<never>(() => {});
  };
  const sayOwn = () => assert.fail('there is nothing to say');
  const ended = guarding({ guardFaults, guardMs: 1, logging: QUIET, sayOwn }, stop.signal);
  await looking.promise;
  stop.abort();
  await ended;
});

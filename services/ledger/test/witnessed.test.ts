// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import { LedgerCheckpointV1 } from '@impound/contracts/ask/ledger.checkpoint.v1.ts';
import type { RequestOf } from '@impound/contracts/question.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { begin, LOG, SECRET, startWith, witnessOf } from './outside-world.ts';
import { world } from './world.ts';

test('while entries come without a pause, a checkpoint that both witnesses have signed is soon over them', async (t) => {
  const it = await world(t, { keys: SECRET });
  const [one, two] = [await witnessOf(t, 'witness.test/1'), await witnessOf(t, 'witness.test/2')];
  const policy = `witness a ${one.line}\nwitness b ${two.line}\ngroup both all a b\nquorum both\n`;
  await startWith(t, it, { POLICY: policy });
  const keys = [LOG, one.vkey, two.vkey];
  const writing = new AbortController();
  const steadily = (async () => {
    while (!writing.signal.aborted) await begin(it, 1);
  })();
  const witnessed = async () => (await it.ask(LedgerCheckpointV1, {})).witnessed;
  for (let round = 1; round <= 3; round++) {
    const [row] = await it.sql()`select max(size_after) as size from ledger_batch`;
    const size = Number(row?.['size']);
    await until(async () => ((await witnessed())?.size ?? -1) >= size);
    const { own = '' } = (await witnessed()) ?? {};
    assert.equal(openCheckpoint(Buffer.from(own), keys).verified.length, keys.length);
  }
  writing.abort();
  await steadily;
  const filter = {};
  const page = { tenant: 'default', filter, after: -1, limit: 1 } as RequestOf<
    typeof LedgerAuditV1
  >;
  await until(async () => {
    const { checkpoint } = await it.ask(LedgerAuditV1, page);
    return openCheckpoint(Buffer.from(checkpoint ?? ''), keys).verified.length === keys.length;
  });

  // Where one stays away, the last that both have signed is known, and how far it is behind.
  await two.stop();
  const before = (await witnessed())?.size ?? Infinity;
  await begin(it, 1);
  await until(async () => {
    const { checkpoint, witnessed: last } = await it.ask(LedgerCheckpointV1, {});
    return (checkpoint?.size ?? 0) > before && (last?.behindMs ?? 0) > 0 && last?.size === before;
  });
});

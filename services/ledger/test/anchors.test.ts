// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { LedgerCheckpointV1 } from '@impound/contracts/ask/ledger.checkpoint.v1.ts';
import { LedgerStampsV1 } from '@impound/contracts/ask/ledger.stamps.v1.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { opensslAuthority } from '@impound/timestamp/testing/openssl-authority.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { begin, LOG, SECRET, startWith } from './outside-world.ts';
import { keptLog, world } from './world.ts';

test('a checkpoint is stamped by an authority of time, in the bytes that are kept beside the token', async (t) => {
  const it = await world(t, { keys: SECRET });
  const authority = await opensslAuthority(t);
  await startWith(t, it, { TSA_URL: authority.url.href, TSA_CERTIFICATES: authority.root });
  const sql = it.sql();
  await until(async () => (await sql`select from ledger_anchor`).length > 0);
  const [row] = await sql`select note, token, kind from ledger_anchor`;
  const note = Buffer.from(String(row?.['note']));
  assert.equal(row?.['kind'], 'rfc3161');
  assert.equal(openCheckpoint(note, [LOG]).origin, LOG.name);
  assert.equal(await authority.verify(row?.['token'] as Buffer, note), true);
});

test('each token is on record in the log behind what it was given for, and the log stands still after it', async (t) => {
  const it = await world(t, { keys: SECRET });
  const authority = await opensslAuthority(t);
  const environment = { TSA_URL: authority.url.href, TSA_CERTIFICATES: authority.root };
  const first = await startWith(t, it, environment);
  const sql = it.sql();
  const stamps = async () => {
    const rows = await sql`select idx, convert_from(entry, 'UTF8')::jsonb #> '{event,data}' as data
      from ledger_entry where type = 'checkpoint.stamped.v1' order by idx`;
    return rows.map((row) => ({ idx: Number(row['idx']), ...row['data'] }));
  };
  await until(async () => (await stamps()).length === 1);
  const [row] = await sql`select size, note, token from ledger_anchor`;
  const token = row?.['token'] as Buffer;
  const note = Buffer.from(String(row?.['note']));
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const [stamp] = await stamps();
  assert.deepEqual(
    [stamp?.size, stamp?.noteSha256, stamp?.tokenSha256],
    [Number(row?.['size']), hash(note), hash(token)],
  );
  assert.ok((stamp?.idx ?? 0) >= Number(row?.['size']));
  assert.equal(await authority.verify(token, note), true);
  await first[Symbol.asyncDispose]();

  // A ledger that starts again says the last one again, which is one entry, and stamps nothing.
  const log = keptLog();
  const second = await startWith(t, it, environment, log);
  await begin(it, 1);
  await until(async () => (await stamps()).length === 2);
  const [again] = await sql`select count(*)::int as tokens from ledger_anchor`;
  assert.equal(again?.['tokens'], 2);
  const [begun] = await sql`select max(idx) as idx from ledger_entry where acq_seq = 1`;
  const place = Number(begun?.['idx']);
  await until(async () => ((await it.ask(LedgerCheckpointV1, {})).checkpoint?.size ?? 0) > place);
  const size = (await it.ask(LedgerCheckpointV1, {})).checkpoint?.size ?? 0;
  const bracket = await it.ask(LedgerStampsV1, { first: place, last: place, size });
  assert.deepEqual([bracket.after?.index, bracket.before?.index], [stamp?.idx, place]);
  for (const stamped of [bracket.after, bracket.before]) {
    const answer = Buffer.from(stamped?.token ?? '', 'base64');
    assert.equal(await authority.verify(answer, Buffer.from(stamped?.note ?? '')), true);
  }
  assert.notEqual(bracket.after?.token, bracket.before?.token);
  assert.equal(bracket.certificates, authority.root);
  assert.deepEqual(await it.ask(LedgerStampsV1, { first: 0, last: 0, size: size + 9 }), {});
  await second[Symbol.asyncDispose]();
});

test('an authority of time that hangs, fails or lies holds up nothing that is said', async (t) => {
  const it = await world(t, { keys: SECRET });
  const authority = await opensslAuthority(t);
  const hanging = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  t.after(() => {
    hanging.closeAllConnections();
    hanging.close();
  });
  const { port } = hanging.address() as AddressInfo;
  const asked = once(hanging, 'request');
  const given = { TSA_URL: `http://127.0.0.1:${port}/`, TSA_CERTIFICATES: authority.root };
  const first = await startWith(t, it, given);
  await begin(it, 1);
  await asked;
  await begin(it, 20);
  await first[Symbol.asyncDispose]();

  authority.answers = (token) => ({ body: token.subarray(0, token.length - 9) });
  const log = keptLog();
  const lying = { TSA_URL: authority.url.href, TSA_CERTIFICATES: authority.root };
  await startWith(t, it, lying, log);
  await until(() => log.lines.some(({ phrase }) => phrase === 'not stamped'));
  await begin(it, 20);
  assert.equal((await it.sql()`select from ledger_anchor`).length, 0);
});

// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AcquisitionExpiredV1 } from '@impound/contracts/acquisition/expired.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { LedgerHeadsV1 } from '@impound/contracts/ask/ledger.heads.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { start } from '@impound/runtime/start.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { verifyHead } from '@impound/transparency/heads.ts';
import { verifyInclusion } from '@impound/transparency/proof-check.ts';
import { naiveRoot } from '@impound/transparency/testing/naive.ts';
import { postgresHeads } from '../src/adapters/postgres-heads.ts';
import { openLogHeads } from '../src/handlers/log-heads.ts';
import { rootedIn } from '../src/handlers/rooting.ts';
import { ledger } from '../src/service.ts';
import { look } from './tampered.ts';
import { expired, keptLog, requested, type World, world } from './world.ts';

const tenant = 'default' as never;
const CHAINS = 300;

/** Chains of one entry, every third of two, in a ledger that roots heads as often as it may. */
async function recorded(t: TestContext): Promise<{ it: World; sql: Database; acqs: string[] }> {
  const it = await world(t);
  const running = await start(ledger, { ...it.environment(), HEADS_MS: '100' }, keptLog());
  t.after(() => running[Symbol.asyncDispose]());
  const acqs = Array.from({ length: CHAINS }, newId);
  await Promise.all(acqs.map((acq) => it.say(AcquisitionRequestedV1, acq, requested)));
  const third = acqs.filter((_, at) => at % 3 === 0);
  await Promise.all(third.map((acq) => it.say(AcquisitionExpiredV1, acq, expired)));
  const sql = it.sql();
  await until(async () => {
    const { size } = await newestRoot(sql);
    const others = await sql`select from ledger_entry where idx >= ${size} and tenant = 'default'`;
    return size > CHAINS && others.length === 0;
  });
  return { it, sql, acqs };
}

async function newestRoot(sql: Database) {
  const found = await postgresHeads(sql).rooted(Number.MAX_SAFE_INTEGER);
  return found === undefined
    ? { size: 0, root: '', index: -1 }
    : { ...found, ...rootedIn(found.entry) };
}

/** The root over heads by the words of docs/spec/ledger.md, from the rows of the log. */
async function definedRoot(sql: Database, size: number): Promise<Buffer> {
  const rows = await sql`select idx, acq, acq_seq, leaf from ledger_entry
    where idx < ${size} and acq is not null order by idx`;
  const begins = new Map<string, number>();
  const leaves = Array.from({ length: size }, () => Buffer.alloc(0));
  for (const row of rows) {
    const acq = String(row['acq']);
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(BigInt(row['acq_seq']));
    begins.set(acq, begins.get(acq) ?? Number(row['idx']));
    const id = Buffer.from(acq.replaceAll('-', ''), 'hex');
    leaves[begins.get(acq) ?? 0] = Buffer.concat([id, number, row['leaf'] as Buffer]);
  }
  return naiveRoot(leaves);
}

test('the heads of all chains are on record in one root, which the log gives again at any size', async (t) => {
  const { sql } = await recorded(t);
  const { size, root } = await newestRoot(sql);
  assert.equal(root, (await definedRoot(sql, size)).toString('hex'));
  const heads = openLogHeads(postgresHeads(sql));
  for (const at of [size, 300, 1, 255, 256, 257, size - 1]) {
    const found = await heads.at(at, (ranges) => ranges(0, at));
    assert.deepEqual(found, await definedRoot(sql, at), `at ${at}`);
  }
  const report = await look(sql);
  assert.deepEqual(report.findings, []);
  assert.ok(report.heads > 0);
});

test('whoever has the checkpoint gets a proof of which entry was the last of a chain', async (t) => {
  const { it, sql, acqs } = await recorded(t);
  const [batch] = await sql`select size_after as size, root from ledger_batch
    order by size_after desc limit 1`;
  const size = Number(batch?.['size']);
  for (const [acq = '', acqSeq] of [[acqs[0], 2] as const, [acqs[1], 1] as const]) {
    const asked = { tenant, acquisitionId: acq as never, size };
    const { version, rooted, head } = await it.ask(LedgerHeadsV1, asked);
    assert.ok(rooted && head);
    assert.deepEqual([version, head.acqSeq], [acqSeq, acqSeq]);
    const bytesOf = (path: readonly string[]) => path.map((one) => Buffer.from(one, 'base64'));
    const leaf = leafHash(Buffer.from(rooted.entry));
    const under = { size: BigInt(size), root: batch?.['root'] as Buffer };
    verifyInclusion({ index: BigInt(rooted.index), path: bytesOf(rooted.path), leaf, ...under });
    const [last] = await sql`select encode(leaf, 'hex') as leaf from ledger_entry
      where acq = ${acq} order by acq_seq desc limit 1`;
    assert.equal(head.last, last?.['leaf']);
    const proof = {
      ...{ index: BigInt(head.index), acqSeq: BigInt(head.acqSeq) },
      ...{ last: Buffer.from(head.last, 'hex'), path: bytesOf(head.path) },
    };
    const said = rootedIn(rooted.entry);
    verifyHead(proof, {
      ...{ acq, size: BigInt(said.size), root: Buffer.from(said.root, 'hex') },
    });
  }
  const none = { tenant, acquisitionId: newId() as never, size };
  assert.deepEqual(await it.ask(LedgerHeadsV1, none), { version: 0 });
  const early = { tenant, acquisitionId: acqs[0] as never, size: 1 };
  assert.deepEqual(await it.ask(LedgerHeadsV1, early), { version: 2 });
  const other = { tenant: 'other' as never, acquisitionId: acqs[0] as never, size };
  assert.deepEqual(await it.ask(LedgerHeadsV1, other), { version: 0 });
});

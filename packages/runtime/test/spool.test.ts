// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { Payload, Statement } from '@impound/contracts/statement.ts';
import { jsonOf } from '../src/ask.ts';
import { newId } from '../src/ids.ts';
import { openSpool } from '../src/spool.ts';
import { newStatementKey, statementSigner } from '../src/statement.ts';
import { testFolder } from '../src/testing/bus.ts';
import type { BeforeSay } from '../src/testing/scripted-ledger.ts';
import { until } from '../src/testing/until.ts';
import { assign, captured, EXECUTOR, executor, resultOf, typesOf } from './worker.ts';
import { world } from './world.ts';

const OLD = 'executor-kubernetes-1-0000' as never;
const data = EvidenceCapturedV1.shape.parse({ ...EvidenceCapturedV1.example, worker: OLD });
const CONTRACTS = [EvidenceCapturedV1, ExecutionFailedV1];

function result(acquisitionId: string) {
  return { contract: EvidenceCapturedV1, data, id: newId(), tenant: 'default', acquisitionId };
}

test('what a process has left is said by the next one, under the name of the first', async (t) => {
  const folder = await testFolder(t);
  const it = await world(t, [EXECUTOR]);
  const acquisitionId = await assign(it);
  const started = ExecutionStartedV1.shape.parse({ ...ExecutionStartedV1.example, worker: OLD });
  await it.ledger.record({ contract: ExecutionStartedV1, data: started, acquisitionId });
  const errors: string[] = [];
  const log = { error: (phrase: string) => void errors.push(phrase) };
  const spool = await openSpool(join(folder, EXECUTOR), log);
  await spool.keep(result(acquisitionId));
  await it.start(
    executor(async (message, work) => captured(message, work)),
    { SPOOL_DIR: folder },
  );
  const said = await resultOf(it, acquisitionId);
  assert.deepEqual([said.type, said['worker']], [EvidenceCapturedV1.type, OLD]);
  assert.equal(typesOf(it, acquisitionId).length, 3);
  await until(async () => (await readdir(join(folder, EXECUTOR))).length === 0);
  assert.deepEqual(errors, []);
});

test('a result is on disk while the ledger is away, and gone once it is on record', async (t) => {
  const folder = await testFolder(t);
  const it = await world(t, [EXECUTOR]);
  const working = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  await it.start(
    executor(async (message, work) => {
      working.resolve();
      await goOn.promise;
      return captured(message, work);
    }),
    { SPOOL_DIR: folder },
  );
  const acquisitionId = await assign(it);
  await working.promise;
  await it.ledger.stop();
  goOn.resolve();
  const kept = () => readdir(join(folder, EXECUTOR));
  await until(async () => (await kept()).some((name) => name.endsWith('.json')));
  await it.ledger.again();
  assert.equal((await resultOf(it, acquisitionId)).type, EvidenceCapturedV1.type);
  await until(async () => (await kept()).length === 0);
});

test('results are given in the order in which they were kept, and a damaged one is left', async (t) => {
  const folder = await testFolder(t);
  const errors: string[] = [];
  const spool = await openSpool(folder, { error: (phrase) => void errors.push(phrase) });
  const three = Array.from({ length: 3 }, () => result(newId()));
  for (const one of three) await spool.keep(one);
  await writeFile(join(folder, '0000000000000000.x.json'), '{"type": "evid');
  const left = await spool.left(CONTRACTS);
  assert.deepEqual(
    left.map(({ id }) => id),
    three.map(({ id }) => id),
  );
  assert.deepEqual(errors, ['kept result unreadable']);
  await spool.drop(three[0]?.id ?? '');
  assert.equal((await spool.left(CONTRACTS)).length, 2);
  assert.deepEqual(await spool.left([]), []);
});

const KEYS = [newStatementKey(), newStatementKey()] as const;
const [, LISTED] = KEYS.map((pem) => hash('sha256', statementSigner(pem).publicKey, 'hex'));

/** A ledger that has the second of the keys on record, and was told of it once it has. */
function strict(isStrict: () => boolean): { readonly before: BeforeSay } {
  const because = 'executor-kubernetes has not signed it: give it STATEMENT_KEY';
  return {
    before: ({ type, data: { statement } }) => {
      const keyid = Statement.safeParse(statement).data?.signatures[0]?.keyid;
      if (!isStrict() || type === ExecutionStartedV1.type || keyid === LISTED) return undefined;
      return { ok: false, refusal: 'forbidden', because, version: 0 };
    },
  };
}

test('a result that nobody can sign is set aside, and what was kept after it is said', async (t) => {
  const folder = await testFolder(t);
  const it = await world(
    t,
    [EXECUTOR],
    strict(() => true),
  );
  const acquisitionId = await assign(it);
  const started = ExecutionStartedV1.shape.parse({ ...ExecutionStartedV1.example, worker: OLD });
  const claim = await it.ledger.record({
    contract: ExecutionStartedV1,
    data: started,
    acquisitionId,
  });
  const spool = await openSpool(join(folder, EXECUTOR), { error: () => undefined });
  const older = result(acquisitionId);
  await spool.keep(older);
  const { id: causeId } = claim.event;
  await spool.keep({ ...result(acquisitionId), causeId, causeHash: it.ledger.hashOf(causeId) });
  await it.start(
    executor(async (message, work) => captured(message, work)),
    { SPOOL_DIR: folder, STATEMENT_KEY: KEYS[1] },
  );
  await resultOf(it, acquisitionId);
  await until(async () => (await readdir(join(folder, EXECUTOR))).length === 1);
  const [left = ''] = await readdir(join(folder, EXECUTOR));
  assert.ok(left.endsWith(`.${older.id}.unsigned`), left);
  const told = it.lines.find(({ phrase }) => phrase === 'kept result cannot be signed, set aside');
  assert.equal(told?.fields['path'], join(folder, EXECUTOR, left));
});

for (const [how, before] of [
  ['without a key', {}],
  ['with a key that does not count', { STATEMENT_KEY: KEYS[0] }],
] as const) {
  test(`a result of a process ${how} is not lost where the ledger wants it signed`, async (t) => {
    const folder = await testFolder(t);
    let wanted = false;
    const it = await world(
      t,
      [EXECUTOR],
      strict(() => wanted),
    );
    const environment = { SPOOL_DIR: folder };
    const first = await it.start(
      executor(async (message, work) => {
        wanted = true;
        return captured(message, work);
      }),
      { ...environment, ...before },
    );
    const acquisitionId = await assign(it);
    await until(() => it.lines.find(({ phrase }) => phrase === 'not taken as it is signed'));
    await first[Symbol.asyncDispose]();
    assert.equal((await readdir(join(folder, EXECUTOR))).length, 1);
    assert.equal(typesOf(it, acquisitionId).length, 2);
    const idle = executor(async () => assert.fail('nothing was assigned'));
    await it.start(idle, { ...environment, STATEMENT_KEY: KEYS[1] });
    const said = await resultOf(it, acquisitionId);
    assert.deepEqual([said.type, said['worker']], [EvidenceCapturedV1.type, first.worker]);
    const [cause, , result] = it.ledger.chain(acquisitionId);
    const { payload } = Statement.parse(result?.event.data['statement']);
    const { predicate } = Payload.parse(jsonOf(Buffer.from(payload, 'base64')));
    assert.equal(predicate.cause.id, cause?.event.id);
    assert.equal(predicate.cause.entryHash, it.ledger.hashOf(cause?.event.id ?? ''));
    await until(async () => (await readdir(join(folder, EXECUTOR))).length === 0);
  });
}

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChainHead } from '../domain/head.ts';
import { freshHeads } from './fresh-heads.ts';

function head(version: number): ChainHead {
  const none = { tenant: 't', caseId: 'c', last: '', epoch: 0, live: false, cancelled: false };
  return { ...none, version };
}

const atOnce = async () => undefined;

/** A database that counts what it is asked. */
function scripted(chains: Map<string, number>) {
  const asked: string[][] = [];
  const reader = {
    versions: async (acqs: readonly string[]) => {
      asked.push(['versions', ...acqs]);
      const found = acqs.filter((acq) => chains.has(acq));
      return new Map(found.map((acq) => [acq, chains.get(acq) ?? 0]));
    },
    heads: async (acqs: readonly string[]) => {
      asked.push(['heads', ...acqs]);
      return new Map(acqs.map((acq) => [acq, head(chains.get(acq) ?? 0)]));
    },
  };
  return { asked, ask: freshHeads(reader, atOnce) };
}

test('those who ask at once are answered by one question, and a chain is read when it has grown', async () => {
  const chains = new Map([
    ['a', 3],
    ['b', 5],
  ]);
  const { asked, ask } = scripted(chains);
  const first = await Promise.all([ask('a'), ask('b'), ask('a'), ask('none')]);
  assert.deepEqual(
    first.map((one) => one?.version),
    [3, 5, 3, undefined],
  );
  assert.deepEqual(asked, [
    ['versions', 'a', 'b', 'none'],
    ['heads', 'a', 'b'],
  ]);
  asked.length = 0;
  chains.set('b', 6);
  const second = await Promise.all([ask('a'), ask('b')]);
  assert.deepEqual(
    second.map((one) => one?.version),
    [3, 6],
  );
  assert.deepEqual(asked, [
    ['versions', 'a', 'b'],
    ['heads', 'b'],
  ]);
});

test('who asks while an answer is being read is answered from what is committed then', async () => {
  const chains = new Map([['a', 1]]);
  const { ask } = scripted(chains);
  const before = ask('a');
  await Promise.resolve();
  await Promise.resolve();
  chains.set('a', 2);
  const [old, now] = await Promise.all([before, ask('a')]);
  assert.ok((old?.version ?? 0) >= 1);
  assert.equal(now?.version, 2);
});

test('a database that fails fails those who wait, and nobody after them', async () => {
  let away = true;
  const reader = {
    versions: async () => {
      if (away) throw new Error('away');
      return new Map([['a', 1]]);
    },
    heads: async () => new Map([['a', head(1)]]),
  };
  const ask = freshHeads(reader, atOnce);
  await assert.rejects(ask('a'), /away/);
  away = false;
  assert.equal((await ask('a'))?.version, 1);
});

test('who comes right after an answer waits for those who come with it', async () => {
  const chains = new Map([['a', 1]]);
  const asked: (readonly string[])[] = [];
  let open = Promise.withResolvers<void>();
  const reader = {
    versions: async (acqs: readonly string[]) => {
      asked.push(acqs);
      return new Map(acqs.map((acq) => [acq, chains.get(acq) ?? 1]));
    },
    heads: async (acqs: readonly string[]) => new Map(acqs.map((acq) => [acq, head(1)])),
  };
  const ask = freshHeads(reader, () => open.promise);
  await ask('a');
  const later = [ask('b'), ask('c')];
  await Promise.resolve();
  assert.deepEqual(asked, [['a']]);
  open.resolve();
  open = Promise.withResolvers();
  await Promise.all(later);
  assert.deepEqual(asked, [['a'], ['b', 'c']]);
  open.resolve();
});

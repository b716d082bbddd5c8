// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Anchor, anchoring } from './anchoring.ts';
import { openSeals } from './seals.ts';

const none = () => undefined;
const logging = { debug: none, info: none, warn: none, error: none };
const NEVER_MS = 3_600_000;

/** A log of some size, an authority that stamps whatever comes, and what the log says of it. */
function scene(t: TestContext) {
  const stop = new AbortController();
  const kept: Anchor[] = [];
  const said: { readonly size: number; readonly tokenSha256: string }[] = [];
  const it = { size: 10, kept, said, told: Promise.withResolvers<void>() };
  const { sealed, heard } = openSeals();
  const authority = {
    name: 'tsa',
    stamp: async (data: Uint8Array) => Buffer.from(`token ${Buffer.from(data)}`),
  };
  const book = {
    newest: async () => ({ size: it.size, note: `note ${it.size}` }),
    lastAnchor: async () => kept.at(-1),
    keepAnchor: async (anchor: Anchor) => void kept.push(anchor),
  };
  const sayOwn = async (_: unknown, data: object) => {
    said.push(data as (typeof said)[number]);
    it.size += 1;
    it.told.resolve();
    it.told = Promise.withResolvers();
    return it.size - 1;
  };
  const times = { everyMs: NEVER_MS, sealedMs: 1 };
  const run = () => anchoring({ authority, book, sayOwn, sealed, logging, ...times }, stop.signal);
  t.after(() => stop.abort());
  return { it, run, stop, heard };
}

test('a token that is kept and not on record, since a process ended, is said by the next one', async (t) => {
  const { it, run, stop } = scene(t);
  it.kept.push({ size: 7, authority: 'tsa', note: 'note 7', token: Buffer.from('token note 7') });
  const { promise } = it.told;
  const ended = run();
  await promise;
  while (it.said.length < 2) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await ended;
  assert.deepEqual(
    it.said.map(({ size }) => size),
    [7, 11],
  );
});

test('a log of which nothing is new but its own word on the last stamp is not stamped', async (t) => {
  const { it, run, stop } = scene(t);
  const { promise } = it.told;
  it.kept.push({ size: 10, authority: 'tsa', note: 'note 10', token: Buffer.from('token') });
  const ended = run();
  await promise;
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await ended;
  assert.deepEqual([it.kept.length, it.said.length], [1, 1]);
});

test('a seal is stamped soon, and other entries when it is time', async (t) => {
  const { it, run, stop, heard } = scene(t);
  const ended = run();
  await it.told.promise;
  const committed = (type: string) => heard({ drafts: [{ event: { type } }] as never });
  // What it waits for is laid down after it has said the last one.
  await new Promise((resolve) => setImmediate(resolve));
  it.size += 3;
  committed('target.resolved.v1');
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(it.kept.length, 1);
  const { promise } = it.told;
  committed('acquisition.sealed.v1');
  await promise;
  stop.abort();
  await ended;
  assert.deepEqual(
    it.kept.map(({ size }) => size),
    [10, 14],
  );
});

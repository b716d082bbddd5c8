// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newLogKeys, readLogKeys } from '@impound/transparency/log-keys.ts';
import { checkpointing } from './checkpointing.ts';
import { vouching } from './vouching.ts';

const KEYS = readLogKeys(newLogKeys('ledger.test/log'));
const { publicKey } = KEYS.submitter;
const never = () => new Promise<Uint8Array>(() => undefined);
const none = () => undefined;

/** A test of something that only waits needs something else that keeps the process. */
function awake(t: { after(work: () => void): void }): void {
  const kept = setInterval(none, 1_000);
  t.after(() => clearInterval(kept));
}

test('a signer that does not answer is asked once, given up, and asked again after a rest', async (t) => {
  awake(t);
  let asked = 0;
  const told: unknown[] = [];
  const submitter = {
    publicKey,
    sign: (message: Uint8Array) => (++asked === 1 ? never() : KEYS.submitter.sign(message)),
  };
  const logging = { warn: (_: string, fields?: object) => void told.push(fields) };
  const limits = { signMsMax: 5, restMs: 60_000 };
  const vouch = vouching(submitter, logging, limits);
  assert.deepEqual([await vouch('seal'), await vouch('seal')], [undefined, undefined]);
  assert.deepEqual([asked, told.length], [1, 1]);
  const rested = vouching(submitter, logging, { ...limits, restMs: 0 });
  assert.equal((await rested('seal'))?.length, 128);
});

test('a signer that fails is told of once, and holds up nothing', async () => {
  const told: unknown[] = [];
  const submitter = { publicKey, sign: () => Promise.reject(new Error('the slot is empty')) };
  const logging = { warn: (_: string, fields?: object) => void told.push(fields) };
  const vouch = vouching(submitter, logging);
  assert.deepEqual([await vouch('seal'), await vouch('seal')], [undefined, undefined]);
  assert.deepEqual(told, [{ because: 'the slot is empty' }]);
});

test('a signer of checkpoints that never answers does not keep a term from ending', async (t) => {
  awake(t);
  const stop = new AbortController();
  const hanging = { publicKey: KEYS.checkpoint.publicKey, sign: never };
  const kept: number[] = [];
  const book = {
    lastSize: async () => -1,
    keep: async ({ size }: { size: number }) => void kept.push(size),
  };
  const asked = Promise.withResolvers<void>();
  const standing = () => {
    asked.resolve();
    return { size: 7, root: Buffer.alloc(32) };
  };
  const logging = { debug: none, info: none, warn: none, error: none };
  const signers = { ...KEYS, checkpoint: hanging };
  const { ended, committed } = checkpointing({ book, signers, standing, logging }, stop.signal);
  committed({ drafts: [], leaves: [] });
  await asked.promise;
  stop.abort();
  await ended;
  assert.deepEqual(kept, []);
});

test('what is committed after a pause is signed at once', async () => {
  const stop = new AbortController();
  const kept = Promise.withResolvers<string>();
  const book = {
    lastSize: async () => -1,
    keep: async (_: unknown, { own }: { own: string }) => kept.resolve(own),
  };
  const standing = () => ({ size: 7, root: Buffer.alloc(32) });
  const logging = { debug: none, info: none, warn: none, error: none };
  const { ended } = checkpointing({ book, signers: KEYS, standing, logging }, stop.signal);
  assert.match(await kept.promise, /^ledger\.test\/log\n7\n/);
  stop.abort();
  await ended;
});

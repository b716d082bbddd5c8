// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEASE_MS } from '@impound/contracts/progress.ts';
import { Later } from '@impound/runtime/fault.ts';
import { formatSession, SessionName } from '../domain/object-name.ts';
import { openUploads } from './open-uploads.ts';

const SESSION = SessionName.parse({
  tenant: 'default',
  acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
  set: 'e1',
  name: 'evidence.tar.zst',
  worker: 'k8s-1-7f3a',
});
const LIVE = { version: 5, epoch: 1, claimedBy: SESSION.worker, stop: false, ended: false };
const LAPSED = { version: 6, stop: false, ended: false };
const { signal } = new AbortController();

/** Uploads whose ledger answers what `head` gives, at a time that the test moves. */
function scene(head: () => object) {
  const at = { nowMs: 1_000_000, asked: 0, abandoned: [] as string[] };
  const uploads = openUploads({
    ask: async () => {
      at.asked += 1;
      return head() as never;
    },
    store: { abandon: async (session) => void at.abandoned.push(formatSession(session)) },
    now: () => at.nowMs,
  });
  return { at, uploads };
}

test('the holder of the live epoch writes on, and the ledger is asked once a second', async () => {
  const { at, uploads } = scene(() => LIVE);
  uploads.opened(SESSION);
  for (let part = 0; part < 10; part++) {
    at.nowMs += 250;
    assert.equal(await uploads.refusal(SESSION, signal), undefined);
  }
  assert.equal(at.asked, 2);
});

test('an upload whose epoch has lapsed is refused and what it holds is dropped', async () => {
  let head: object = LIVE;
  const { at, uploads } = scene(() => head);
  uploads.opened(SESSION);
  head = LAPSED;
  at.nowMs += 1_000;
  assert.equal((await uploads.refusal(SESSION, signal))?.code, 'epoch-not-live');
  assert.deepEqual(at.abandoned, [formatSession(SESSION)]);
});

test('an upload that a restart has forgotten is looked at before its next part', async () => {
  const { uploads } = scene(() => LAPSED);
  assert.equal((await uploads.refusal(SESSION, signal))?.code, 'epoch-not-live');
});

test('a ledger that is away refuses nobody', async () => {
  const { at, uploads } = scene(() => {
    throw new Later('no-answer', 0, 'nobody answered');
  });
  uploads.opened(SESSION);
  at.nowMs += 5_000;
  assert.equal(await uploads.refusal(SESSION, signal), undefined);
  assert.deepEqual(at.abandoned, []);
});

test('what a dead worker left is dropped once its epoch is over', async () => {
  let head: object = LIVE;
  const { at, uploads } = scene(() => head);
  uploads.opened(SESSION);
  at.nowMs += LEASE_MS + 1;
  assert.equal(await uploads.sweep(signal), 0);
  head = LAPSED;
  assert.equal(await uploads.sweep(signal), 1);
  assert.deepEqual(at.abandoned, [formatSession(SESSION)]);
  assert.equal(await uploads.sweep(signal), 0);
});

test('an upload that was completed is nobody’s business any more', async () => {
  const { at, uploads } = scene(() => LAPSED);
  uploads.opened(SESSION);
  uploads.over(SESSION);
  at.nowMs += LEASE_MS + 1;
  assert.equal(await uploads.sweep(signal), 0);
  assert.equal(at.asked, 0);
});

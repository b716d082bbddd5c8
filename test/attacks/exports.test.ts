// SPDX-License-Identifier: Apache-2.0
// What is handed out is old, or not all there is, or was recorded by a clock that lies.

import assert from 'node:assert/strict';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { EXIT } from '../../cli/src/exit-code.ts';
import { world } from '../../services/ledger/test/world.ts';
import { chainOf, exportBag, forgedBag, relist } from './bag.ts';
import { emptied, impound } from './detectors.ts';
import { commitMadeUp, type MadeUp, storyOf } from './operator.ts';
import {
  allHeadsIn,
  connect,
  copied,
  cosigned,
  policyOf,
  type Recorded,
  recordedLog,
  scopeOf,
  startLedger,
} from './stage.ts';
import { namesOf, someEvidence } from './story.ts';

const DAY_MS = 86_400_000;
let on: Recorded;

before(async () => {
  on = await recordedLog();
});

const verify = (bag: string, ...more: readonly string[]) =>
  impound(['verify', bag, ...on.trust, ...more]);

test('11: a log that has gone on is shown as it was some time ago', async () => {
  const times = /alpha at (\S+), beta at (\S+);/.exec((await verify(on.bag)).out);
  const [last = ''] = [times?.[1] ?? '', times?.[2] ?? ''].toSorted();
  const since = (seconds: number) => new Date(Date.parse(last) + seconds * 1_000).toISOString();
  const good = await verify(on.bag, '--cosigned-since', since(0));
  assert.equal(good.code, EXIT.ok, good.out);
  const old = await verify(on.bag, '--cosigned-since', since(3_600));
  assert.equal(old.code, EXIT.witness, old.out);
  assert.match(old.out, /cosignature-stale: last cosigned .* it may be an old view/);
  const mirror = ['ledger', 'fsck', '--mirror', on.mirror, '--known'];
  assert.equal((await impound([...mirror, on.newest])).code, EXIT.ok);
});

/** A bag without one entry; whoever leaves it out gives the others their numbers. */
async function without(n: number): Promise<string> {
  const texts = await chainOf(on.bag);
  const copy = await forgedBag(on.bag, `without-${n}`, {});
  const entry = (at: number, form = '') =>
    join(copy, `custody/entries/${String(at).padStart(6, '0')}.json${form}`);
  for (let at = n; at < texts.length; at++) {
    for (const form of ['', '.tlog-proof', '.spicy']) {
      await rename(entry(at + 1, form), entry(at, form));
    }
  }
  if (n === texts.length) {
    for (const form of ['', '.tlog-proof', '.spicy']) await rm(entry(n, form));
  }
  const lines = texts.toSpliced(n - 1, 1).map((text) => `${text}\n`);
  const listed = await forgedBag(copy, 'cut', { 'custody/chain.jsonl': () => lines.join('') });
  await relist(listed);
  return listed;
}

test('28: an export leaves an entry out: in the middle, before its seal, behind it', async () => {
  const texts = await chainOf(on.bag);
  const middle = await verify(await without(5));
  assert.equal(middle.code, EXIT.chain, middle.out);
  assert.match(middle.out, /chain-broken: entry 6 follows entry 4 \(chain\.jsonl, line 5\)/);
  const seal = await verify(await without(8));
  assert.equal(seal.code, EXIT.chain, seal.out);
  assert.match(seal.out, /chain-broken: entry 9 follows entry 7/);
  assert.match(seal.out, /chain-unsealed: the acquisition has not ended/);
  const behind = await without(texts.length);
  // The seal knows nothing of what came behind it: the root over the heads of all chains does.
  const alone = await verify(behind);
  assert.equal(alone.code, EXIT.chain, alone.out);
  assert.match(
    alone.out,
    /chain-cut: the chain had 9 entries among the first \d+ leaves of the log/,
  );
  const files = ['rooted.json', 'rooted.json.tlog-proof', 'rooted.json.spicy', 'head.proof'];
  const gone = files.map((name) => [`custody/heads/${name}`, undefined]);
  const without28 = await forgedBag(behind, 'unrooted', Object.fromEntries(gone));
  // What was recorded a moment before the checkpoint may be younger than every root.
  const unrooted = await verify(without28);
  assert.equal(unrooted.code, EXIT.ok, unrooted.out);
  assert.match(unrooted.out, /that nothing was left out at the end: no root over heads covers it/);
  const [, head = ''] = /chain head +(\w+)/.exec((await verify(on.bag)).out) ?? [];
  assert.equal((await verify(on.bag, '--head', head, '--mirror', on.mirror)).code, EXIT.ok);
  const told = await verify(behind, '--head', head);
  assert.equal(told.code, EXIT.chain, told.out);
  assert.ok(told.out.includes(`and ${head} was told: entries were left out or added`));
  const held = await verify(behind, '--mirror', on.mirror);
  assert.equal(held.code, EXIT.chain, held.out);
  const whole = await verify(on.bag);
  assert.match(whole.out, /heads +all of its 9 entries were there among the first \d+ leaves/);
  assert.match(held.out, /chain-cut: the mirror holds 9 entries of it up to \d+, the bag 8/);
});

/** Bags of chains that whoever runs the ledger made up, in a log that witnesses have seen grow. */
async function madeUp(stories: readonly Awaited<ReturnType<typeof storyOf>>[]): Promise<string[]> {
  await using scope = new AsyncDisposableStack();
  const database = await copied(scope, on.database);
  for (const story of stories) await commitMadeUp(database, on.secret, story);
  const it = await world(scopeOf(scope), { database, migrated: false, keys: on.secret });
  const served = await Promise.all(on.witnesses.map((one) => one.serve(scope)));
  await startLedger(scope, it, { POLICY: policyOf(on.witnesses, served), HEADS_MS: '200' });
  const sql = connect(scope, database);
  await until(() => allHeadsIn(sql));
  await until(async () => {
    const [row] = await sql`select max(size_after) as size from ledger_batch`;
    const note = await cosigned(sql, on.witnesses.length);
    return note?.split('\n')[1] === String(row?.['size']);
  });
  const bags: string[] = [];
  for (const { told } of stories) {
    const bag = await emptied(on.folder, `made-up-${bags.length}`);
    await exportBag(sql, { told, secret: on.secret, policy: on.policy }, bag);
    bags.push(bag);
  }
  return bags;
}

/** What is made up once for the tests below: witnesses see only one log go on. */
const stories = async () => {
  const now = Date.now();
  const honest = await storyOf(newId(), now);
  const early = await storyOf(newId(), now - 2 * DAY_MS);
  const late = await storyOf(newId(), now + DAY_MS);
  const skewed = await storyOf(newId(), now);
  const claims = skewed.events.map((one) => ({ ...one, happenedMs: now - DAY_MS }));
  const [captured] = skewed.events.filter(({ contract }) => contract === EvidenceCapturedV1);
  const objects = namesOf(await someEvidence(skewed.told.acquisitionId, 'planted\n'));
  const replay: MadeUp = { ...(captured as MadeUp), change: { objects } };
  const replayed = await storyOf(newId(), now);
  const inverted = await storyOf(newId(), now);
  const [first, ...others] = inverted.events;
  const causeId = newId();
  const turned = [first as MadeUp, ...others.map((one, at) => inOrder(one, at, causeId))];
  return [
    ...[honest, early, late, { ...skewed, events: claims }],
    { ...replayed, events: [...replayed.events, replay] },
    { ...inverted, events: turned },
  ];
};

/** The second of these events is the cause of the first. */
function inOrder(event: MadeUp, at: number, causeId: string): MadeUp {
  if (at === 0) return { ...event, causeId };
  return at === 1 ? { ...event, id: causeId } : event;
}

let bags: Promise<string[]> | undefined;
const bag = async (n: number): Promise<string> => {
  bags ??= stories().then(madeUp);
  return (await bags)[n] as string;
};

test('evidence that is planted behind the epoch that captured it is out of order', async () => {
  assert.equal((await verify(await bag(0))).code, EXIT.ok);
  const done = await verify(await bag(4));
  assert.equal(done.code, EXIT.chain, done.out);
  assert.match(done.out, /chain-disordered: .* says to be of epoch 1, which is not live here/);
  assert.doesNotMatch(done.out, /object-/);
  const planted = await readFile(join(await bag(4), 'custody/chain.jsonl'), 'utf8');
  assert.equal(planted.match(/evidence\.captured\.v1/g)?.length, 2);
});

test('18: events come in another order than the one in which they caused each other', async () => {
  const done = await verify(await bag(5));
  assert.equal(done.code, EXIT.chain, done.out);
  assert.match(done.out, /chain-disordered: it is the cause of entry 2, which stands before it/);
});

test('19: a clock is set back, or is ahead', async () => {
  const told = await verify(await bag(3));
  assert.equal(told.code, EXIT.ok, told.out);
  assert.match(
    told.out,
    /^ {2}clock +it says to have happened at .*, and was recorded 8\d{4}.* s after/m,
  );
  const ahead = await verify(await bag(2));
  assert.equal(ahead.code, EXIT.time, ahead.out);
  assert.match(ahead.out, /time-contradicted: .*; alpha saw the log .*, and it was among them alr/);
});

test('21: an entry says to be older than it is', async () => {
  const known = ['--known', on.newest];
  assert.equal((await verify(await bag(0), ...known)).code, EXIT.ok);
  assert.equal((await verify(on.bag, '--known', on.early, ...known)).code, EXIT.ok);
  const done = await verify(await bag(1), ...known);
  assert.equal(done.code, EXIT.time, done.out);
  const { size } = openCheckpoint(await readFile(on.newest), [on.log]);
  const words = `witness.alpha.example/1 saw the log with ${size} leaves`;
  assert.ok(done.out.includes(words), done.out);
  assert.match(done.out, /and it was not among them yet \(custody\/entries\/000001\.json, index/);
});

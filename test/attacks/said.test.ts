// SPDX-License-Identifier: Apache-2.0
// Whoever may speak says it twice, says it otherwise, or says what readers may misread. Who finds
// it: the ledger's answer, and the reader of a bag.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import { saySubject } from '@impound/contracts/event.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { newId } from '@impound/runtime/ids.ts';
import { testDatabase } from '@impound/runtime/testing/database.ts';
import { newLogKeys } from '@impound/transparency/log-keys.ts';
import { EXIT } from '../../cli/src/exit-code.ts';
import { requested, type World, world } from '../../services/ledger/test/world.ts';
import { chainOf, exportBag, forgedBag } from './bag.ts';
import { fsck, impound, program } from './detectors.ts';
import { begin, kept, ORIGIN, scopeOf, stageFolder, startLedger } from './stage.ts';
import { tellStory } from './story.ts';

const REASON = '=HYPERLINK("http://evil.example","p\u0430ypal \u202etxt.exe \u200b\u2014")';
const SUBJECT = saySubject('gateway', 'default', AcquisitionRequestedV1.type);

/** A request as the gateway says it, byte for byte. */
function requestText(acquisitionId: string, reason = 'café'): string {
  return canonical({
    ...{ specversion: '1.0', id: newId(), source: '/impound/gateway/gateway-1' },
    ...{ type: AcquisitionRequestedV1.type, subject: acquisitionId, tenant: 'default' },
    ...{ time: timeOf(Date.now()), datacontenttype: 'application/json' },
    data: { ...requested, reason },
  });
}

const TRICKS: readonly (readonly [what: string, by: (text: string) => string])[] = [
  ['a key twice', (text) => text.replace('"reason":', '"reason":"other","reason":')],
  ['minus zero', (text) => text.replace(/"bytesMax":\d+/, '"bytesMax":-0')],
  ['an exponent', (text) => text.replace(/"bytesMax":\d+/, '"bytesMax":1e21')],
  ['a lone surrogate', (text) => text.replace('café', 'caf\\ud800')],
  ['an escape that needs none', (text) => text.replace('café', 'caf\\u00e9')],
  ['keys out of order', (text) => text.replace('{"data":', '{"z":1,"data":')],
  ['white space', (text) => text.replace('{"data":', '{ "data":')],
  ['a prototype out of order', (text) => text.replace('"reason":', '"__proto__":{},"reason":')],
];

async function open(scope: AsyncDisposableStack, t: Parameters<typeof testDatabase>[0]) {
  const [database, folder, secret] = [
    await testDatabase(t),
    await stageFolder(),
    newLogKeys(ORIGIN),
  ];
  const it = await world(scopeOf(scope), { database, keys: secret });
  await startLedger(scope, it);
  await begin(it, 1);
  const policy = await kept(folder, 'policy', 'quorum none\n');
  const exported = async (told: Awaited<ReturnType<typeof tellStory>>, name: string) => {
    const bag = join(folder, name);
    await exportBag(it.sql(), { told, secret, policy }, bag);
    return bag;
  };
  return { it, database, folder, exported };
}

/** Says a text as it is; gives what the ledger answers. */
const sayText = (it: World, text: string) => it.request(SUBJECT, text);

test('15: an event is said again under its id, byte for byte', async (t) => {
  await using scope = new AsyncDisposableStack();
  const { it, exported, database } = await open(scope, t);
  const told = await tellStory(it, newId());
  const bag = await exported(told, 'bag');
  const chain = await chainOf(bag);
  const again = await sayText(it, canonical(JSON.parse(chain[0] ?? '').event));
  assert.ok(again.ok && again.repeated && !again.differs, JSON.stringify(again));
  assert.equal(again.version, 1);
  const text = requestText(newId());
  const replies = [await sayText(it, text), await sayText(it, text)];
  const [first, second] = replies.map((reply) => reply.ok && [reply.seq, reply.entryHash]);
  assert.deepEqual(first, second);
  const after = await exported(told, 'after');
  assert.deepEqual(await chainOf(after), chain);
  assert.equal((await impound(['verify', after])).code, EXIT.ok);
  const whole = await fsck(database);
  assert.equal(whole.code, EXIT.ok, whole.out);
});

test('16: an event is said again under its id with other words', async (t) => {
  await using scope = new AsyncDisposableStack();
  const { it, exported } = await open(scope, t);
  const told = await tellStory(it, newId());
  const [first = ''] = await chainOf(await exported(told, 'bag'));
  const said = canonical(JSON.parse(first).event);
  const other = said.replace('a shell in a web server', 'nothing at all');
  const answer = await sayText(it, other);
  assert.ok(answer.ok && answer.repeated && answer.differs, JSON.stringify(answer));
  const bag = await exported(told, 'after');
  const done = await impound(['verify', bag]);
  assert.equal(done.code, EXIT.ok, done.out);
  const noticed = JSON.parse((await chainOf(bag)).at(-1) ?? '').event;
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  assert.equal(noticed.type, 'conflict.noticed.v1');
  const { firstSha256, repeatSha256, repeatSource } = noticed.data;
  assert.deepEqual([firstSha256, repeatSha256], [digest(said), digest(other)]);
  assert.equal(repeatSource, '/impound/gateway/gateway-1');
});

test('26: JSON is written in ways that readers read differently', async (t) => {
  await using scope = new AsyncDisposableStack();
  const { it, exported, database } = await open(scope, t);
  for (const [what, by] of TRICKS) {
    const text = requestText(newId());
    assert.ok(by(text) !== text, what);
    const answer = await sayText(it, by(text));
    assert.ok(!answer.ok && answer.refusal === 'invalid', `${what}: ${JSON.stringify(answer)}`);
    assert.ok((await sayText(it, text)).ok, what);
  }
  const told = await tellStory(it, newId(), 'cafe\u0301 is not caf\u00e9');
  const bag = await exported(told, 'bag');
  assert.equal((await impound(['verify', bag])).code, EXIT.ok);
  const [first = ''] = await chainOf(bag);
  assert.ok(
    first.includes('"reason":"cafe\u0301 is not caf\u00e9"'),
    'the bytes are as they were said',
  );
  const twice = (text: string) => text.replace('"reason":', '"reason":"other","reason":');
  const forged = await forgedBag(bag, 'twice', {
    'custody/chain.jsonl': twice,
    'custody/entries/000001.json': twice,
  });
  const done = await impound(['verify', forged]);
  assert.equal(done.code, EXIT.proof, done.out);
  assert.match(done.out, /chain-not-canonical: not the bytes that were hashed/);
  const whole = await fsck(database);
  assert.equal(whole.code, EXIT.ok, whole.out);
});

test('29: words are formulas to a spreadsheet, or look like other words', async (t) => {
  await using scope = new AsyncDisposableStack();
  const { it, exported, folder } = await open(scope, t);
  const bag = await exported(await tellStory(it, newId(), REASON), 'bag');
  const done = await impound(['verify', bag]);
  assert.equal(done.code, EXIT.ok, done.out);
  const [csv, pdf] = [join(folder, 'report.csv'), join(folder, 'report.pdf')];
  for (const out of [csv, pdf]) {
    const made = await impound(['report', bag, '--out', out]);
    assert.equal(made.code, EXIT.ok, made.out);
  }
  const cells = (await readFile(csv, 'utf8')).match(/(?<=^|,)"(?:[^"]|"")*"|[^,\r\n]+/gm) ?? [];
  const bare = cells.map((cell) => cell.replace(/^"/, ''));
  assert.deepEqual(
    bare.filter((cell) => /^[=+\-@\t\r]/.test(cell)),
    [],
  );
  assert.ok(bare.some((cell) => cell.startsWith(`'=HYPERLINK`)));
  const { code, out } = await program('pdftotext', ['-layout', pdf, '-']);
  if (code < 0) return t.diagnostic('no pdftotext here: apt-get install poppler-utils');
  assert.match(out, /p\\u\{430\}ypal\s+\\u\{202e\}txt\.exe\s+\\u\{200b\}\\u\{2014\}/);
  assert.doesNotMatch(out, /[\u0430\u202e\u200b]/);
});

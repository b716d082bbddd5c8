// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { csv } from '../src/csv.ts';
import { chain } from './chains.ts';

const written = async (entries: Parameters<typeof csv>[0]) =>
  await text(Readable.from(csv(entries)));

test('every entry is a line with its hash, and the line before it is the header', async () => {
  const entries = await chain('sealed.json');
  const lines = (await written(entries)).trimEnd().split('\r\n');
  assert.equal(lines.length, entries.length + 1);
  assert.match(lines[0] ?? '', /^index,acquisition,entry,recorded_at,claimed_at,type,actor,/);
  entries.forEach(({ leaf }, at) => {
    assert.ok(lines[at + 1]?.includes(leaf), `line ${at + 1}`);
  });
});

test('a cell that a spreadsheet would run begins with an apostrophe', async () => {
  for (const reason of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '=HYPERLINK("http://x","y")']) {
    const all = await written(await chain('sealed.json', { reason }));
    const cells = all.split('\r\n')[1]?.match(/"(?:[^"]|"")*"|[^,]+/g) ?? [];
    const bare = cells.map((cell) => cell.replace(/^"/, ''));
    assert.deepEqual(
      bare.filter((cell) => /^[=+\-@\t\r]/.test(cell)),
      [],
      reason,
    );
    assert.match(all, /'[=+\-@]|\\u\{9\}=1/, reason);
  }
});

test('quotes, commas and newlines stay in their cell', async () => {
  const reason = 'a "quoted", and\na second line';
  const all = await written(await chain('sealed.json', { reason }));
  assert.ok(all.includes('"a ""quoted"", and\\u{a}a second line"'));
});

test('a source that breaks off breaks the table, and is no short table', async () => {
  const entries = await chain('sealed.json');
  const broken = (async function* () {
    yield* entries.slice(0, 2);
    throw new Error('the ledger is gone');
  })();
  await assert.rejects(written(broken), /the ledger is gone/);
});

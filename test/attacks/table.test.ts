// SPDX-License-Identifier: Apache-2.0
// docs/attacks.md and the tests of attacks tell the same rows, each exactly once.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const ROWS = 35;
const ROOT = new URL('../..', import.meta.url).pathname;
const read = (file: string) => readFileSync(`${ROOT}/${file}`, 'utf8');

const rows = read('docs/attacks.md')
  .split('\n')
  .filter((line) => /^\| \d+ /.test(line))
  .map((line) => {
    const [, number, attack = '', who = '', says = '', file = ''] = line.split(/ *(?<!\\)\| */);
    return { number: Number(number), attack, who, says, file };
  });

/** Tests that bear the number of a row, by what they are called in their file. */
const NAMED = /(?:test\(|name: )(['"])(\d+): (.*?)\1/g;

test('the table has each row once, and says of each who finds it and by which words', () => {
  const expected = Array.from({ length: ROWS }, (_, at) => at + 1);
  assert.deepEqual(
    rows.map(({ number }) => number),
    expected,
  );
  for (const { number, who, says } of rows) {
    assert.ok(who.length > 3 && says.length > 3, `row ${number}`);
  }
});

test('each row of the table is a test by the same words, and each test is a row', () => {
  const files = globSync('test/attacks/*.test.ts', { cwd: ROOT });
  const named = files.flatMap((file) =>
    [...read(file).matchAll(NAMED)].map(([, , number, words]) => `${number}: ${words} (${file})`),
  );
  const inTable = rows.map(({ number, attack, file }) => `${number}: ${attack} (${fileIn(file)})`);
  const elsewhere = rows.filter(({ file }) => !fileIn(file).startsWith('test/attacks/'));
  for (const { attack, file } of elsewhere) {
    assert.ok(read(fileIn(file)).includes(`'${attack}'`), `${fileIn(file)} has no test ${attack}`);
  }
  const here = inTable.filter((one) => one.includes('(test/attacks/'));
  assert.deepEqual(named.toSorted(), here.toSorted());
  assert.equal(here.length + elsewhere.length, ROWS);
});

function fileIn(cell: string): string {
  return /`([^`]+)`/.exec(cell)?.[1] ?? '';
}

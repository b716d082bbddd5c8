// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { canonical } from '@impound/contracts/canonical.ts';
import { bagReports } from '../src/bag-reports.ts';
import { chain, chainNames } from './chains.ts';

async function written(name: string, indexes: readonly number[]) {
  const bytes = (await chain(name)).map(({ entry }) => Buffer.from(canonical(entry)));
  const files = bagReports(bytes, indexes);
  return await Promise.all(
    files.map(async (file) => [file.name, await buffer(Readable.from(file.content))] as const),
  );
}

test('every way an acquisition ends is told in every form, by the same bytes each time', async () => {
  for (const name of await chainNames()) {
    const files = await written(name, []);
    assert.deepEqual(
      files.map(([file]) => file),
      ['pdf', 'csv', 'jsonld'].map((form) => `chain-of-custody.${form}`),
    );
    assert.deepEqual(files, await written(name, []), name);
  }
});

test('a table in a bag tells where in the log each entry stands', async () => {
  const { length } = await chain('sealed.json');
  const indexes = Array.from({ length }, (_, at) => 300 + at * 2);
  const table = (await written('sealed.json', indexes)).find(([name]) => name.endsWith('.csv'));
  const lines = String(table?.[1]).trimEnd().split('\r\n').slice(1);
  assert.deepEqual(
    lines.map((line) => Number(line.split(',')[0])),
    indexes,
  );
});

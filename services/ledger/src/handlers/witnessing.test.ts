// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cosignature, OutsideBook } from './outside.ts';
import { checkMemories } from './outside.ts';
import { openRound } from './witness-round.ts';
import { type Shown, type Witnessed, witnessing } from './witnessing.ts';

const none = () => undefined;
const logging = { debug: none, info: none, warn: none, error: none };
const AT = new Date(1_000_000);

/** A log of 100 committed leaves, the first 90 of which are under a checkpoint. */
function scene(answers: readonly Witnessed[]) {
  const shown: Shown[] = [];
  const kept: Cosignature[] = [];
  const faults: string[] = [];
  const stop = new AbortController();
  const book: OutsideBook = {
    size: async () => 100,
    root: async (size) => Buffer.alloc(32, size),
    newest: async () => ({ size: 90, note: 'note 90' }),
    note: async (size) => ({ size, note: `note ${size}` }),
    consistency: async (from, to) => [Buffer.from(`${from} to ${to}`)],
    cosigned: async () => 10,
    keep: async (cosignature) => {
      kept.push(cosignature);
      stop.abort();
    },
    tile: async () => Buffer.alloc(0),
    entries: async () => [],
  };
  const witness = {
    name: 'w',
    head: 'own' as const,
    show: async (one: Shown) => answers[shown.push(one) - 1] ?? 'inconsistent',
  };
  const alarm = ({ code }: { readonly code: string }) => void faults.push(code);
  const run = () =>
    witnessing({ witnesses: [witness], isEnough: () => false, book, logging, alarm }, stop.signal);
  return { shown, kept, faults, book, run };
}

test('a witness is shown how the log grew since it last signed, and its signature is kept', async () => {
  const { shown, kept, faults, run } = scene([{ line: 'line', at: AT }]);
  await run();
  assert.deepEqual(shown, [{ old: 10, path: [Buffer.from('10 to 90')], note: 'note 90' }]);
  assert.deepEqual(kept, [{ size: 90, head: 'own', witness: 'w', line: 'line', at: AT }]);
  assert.deepEqual(faults, []);
});

test('a witness that holds another size than is on record is shown the growth from there', async () => {
  const { shown, kept, run } = scene([{ holds: 50 }, { line: 'line', at: AT }]);
  await run();
  assert.deepEqual(
    shown.map(({ old }) => old),
    [10, 50],
  );
  assert.equal(kept.length, 1);
});

test('a witness that holds more than is committed, or another log, raises the alarm', async () => {
  for (const [answer, code] of [
    [{ holds: 101 }, 'database-behind'],
    ['inconsistent', 'log-rewritten'],
  ] as const) {
    const { faults, kept, run } = scene([answer]);
    await run();
    assert.deepEqual([faults, kept], [[code], []]);
  }
});

test('while the log grows with every look, all witnesses are shown the same checkpoint until enough have signed', async () => {
  let size = 0;
  const book = {
    newest: async () => ({ size: ++size, note: '' }),
    note: async (of: number) => ({ size: of, note: `note ${of}` }),
  };
  const round = openRound(book, (names) => names.size === 2);
  const shown = async () => (await round.shown('own'))?.size;
  for (const expected of [1, 2, 3]) {
    assert.deepEqual([await shown(), await shown(), await shown()], Array(3).fill(expected));
    round.cosigned('a', expected);
    assert.equal(await shown(), expected);
    // Who is late has signed another one.
    round.cosigned('b', expected - 1);
    assert.equal(await shown(), expected);
    round.cosigned('b', expected);
  }
});

test('at the start, who remembers more or something else stops it, and who is away does not', async () => {
  const { book } = scene([]);
  const checked = (size: bigint, root: Buffer) => {
    const known = { origin: 'log', size, root };
    const away = { name: 'away', remembered: () => Promise.reject(new Error('no route')) };
    const silent = { name: 'new', remembered: async () => undefined };
    const memory = { name: 'm', remembered: async () => known };
    const { signal } = new AbortController();
    return checkMemories([away, silent, memory], book, logging, signal);
  };
  await checked(100n, Buffer.alloc(32, 100));
  await checked(40n, Buffer.alloc(32, 40));
  await assert.rejects(checked(101n, Buffer.alloc(32, 101)), { code: 'database-behind' });
  await assert.rejects(checked(40n, Buffer.alloc(32, 41)), { code: 'log-rewritten' });
});

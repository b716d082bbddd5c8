// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SayReply } from '@impound/contracts/say.ts';
import { judge, type Seen } from './judge.ts';

const answer = { ok: true, seq: 1, version: 1, entryHash: 'aa', repeated: false, differs: false };
const place = { idx: 1, version: 1, hash: 'aa', eventId: 'one' };
const good: Seen = {
  said: new Set(['one']),
  answers: new Map([['one', [answer as SayReply, { ...answer, repeated: true } as SayReply]]]),
  places: [place],
  told: new Map([[1, 'aa']]),
};
const answered = (...replies: object[]): Partial<Seen> => ({
  answers: new Map([['one', replies as SayReply[]]]),
});

test('what is on record once, as it was answered, and was told is as promised', () => {
  assert.deepEqual(judge(good), []);
});

const WRONGS: readonly (readonly [string, Partial<Seen>, RegExp])[] = [
  ['is lost after an answer', { places: [] }, /is on record 0 times/],
  ['is on record twice', { places: [place, { ...place, idx: 2 }] }, /is on record 2 times/],
  ['was never answered', { answers: new Map() }, /was never answered/],
  [
    'stands at another place',
    answered(answer, { ...answer, seq: 2 }),
    /was answered 2, and stands/,
  ],
  ['has another hash', answered({ ...answer, entryHash: 'bb' }), /and stands at 1/],
  ['was refused', answered({ ok: false, because: 'no' }), /was refused: no/],
  ['was said by nobody', { said: new Set() }, /was said by nobody/],
  ['was not told', { told: new Map() }, /entry 1 was not told/],
  ['was told as another one', { told: new Map([[1, 'bb']]) }, /was told as bb, it is aa/],
];

for (const [what, change, words] of WRONGS) {
  test(`an event that ${what} is found out`, () => {
    assert.match(judge({ ...good, ...change }).join('\n'), words);
  });
}

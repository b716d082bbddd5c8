// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ATTEMPTS_MAX, becauseOf, codeOf, Later, messageOf, Never, verdict } from './fault.ts';

const later = new Later('api-busy', 700, 'come again');
const asked = new Later('api-busy', 90_000, 'Retry-After');
const never = new Never('pod-gone', 'there is no such pod');

const VERDICTS = [
  ['no error acknowledges', undefined, 1, { do: 'ack' }],
  ['Never is given up at once', never, 1, { do: 'give-up', code: 'pod-gone' }],
  ['Later comes again after its delay', later, 1, { do: 'nak', delayMs: 700, code: 'api-busy' }],
  ['Later waits ever longer', later, 4, { do: 'nak', delayMs: 5_600, code: 'api-busy' }],
  ['Later waits as long as asked', asked, 3, { do: 'nak', delayMs: 90_000, code: 'api-busy' }],
  ['Later is given up at last', later, ATTEMPTS_MAX, { do: 'give-up', code: 'api-busy' }],
  ['a bug comes again', new Error('x'), 1, { do: 'nak', delayMs: 1_000, code: 'bug' }],
  ['a bug is given up at last', new Error('x'), ATTEMPTS_MAX, { do: 'give-up', code: 'bug' }],
  ['more attempts than there are', 'thrown text', 9, { do: 'give-up', code: 'bug' }],
] as const;

for (const [name, error, attempt, expected] of VERDICTS) {
  test(`verdict: ${name}`, () => assert.deepEqual(verdict(error, attempt), expected));
}

test('a fault keeps its code, its delay and its cause', () => {
  const cause = new Error('429');
  const fault = new Later('api-busy', 5, 'busy', { cause });
  assert.deepEqual(
    [fault.code, fault.delayMs, fault.cause, fault.name],
    ['api-busy', 5, cause, 'Later'],
  );
  assert.deepEqual(
    [codeOf(never), codeOf(new Error('x')), codeOf(null)],
    ['pod-gone', 'bug', 'bug'],
  );
  assert.deepEqual([messageOf(never), messageOf(7)], ['there is no such pod', '7']);
});

const REASONS = [
  ['is left alone where it fits', 'no such pod\n\tin shop', 'no such pod\n\tin shop'],
  ['loses control characters', 'red\u001b[31m\u0000\r\u007f', 'red [31m   '.trim()],
  ['is never empty', '', 'no reason was given'],
  ['holds no lone surrogate', 'a\ud800b', 'a\ufffdb'],
] as const;

for (const [name, message, expected] of REASONS) {
  test(`what is said of a fault ${name}`, () => {
    assert.equal(becauseOf(new Error(message)), expected);
  });
}

test('what is said of a fault is short, and no character is cut in two', () => {
  const because = becauseOf(new Error(`${'x'.repeat(499)}😀${'y'.repeat(900)}`));
  assert.equal(because.isWellFormed(), true);
  assert.ok(because.length <= 500, String(because.length));
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { readJson } from './json-text.ts';
import { JSON_DEPTH_MAX } from './limits.ts';
import { Refusal } from './problem.ts';

const LIMIT = { timeout: 10_000 };
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const GOOD = ['{}', '[]', '"{[:"', '{"a":{"a":"\\"a\\":1"},"b":[{"a":1},{"a":2}]}', nested(8)];

for (const text of GOOD) {
  test(`${text} is read as JSON.parse reads it`, () => {
    assert.deepEqual(readJson(text), JSON.parse(text));
  });
}

const BAD = {
  'an empty text': '',
  'half an object': '{"a":',
  'an unclosed string': '"a',
  'an unclosed string full of quotes': `"${'\\"'.repeat(500_000)}`,
  'a string full of quotes, with a line feed': `"${'\\"'.repeat(500_000)}\n"`,
  'two values': '{} {}',
  'a comment': '{} // x',
  'too many levels': nested(JSON_DEPTH_MAX + 1),
  'very many levels': nested(30_000),
  'a property named twice': '{"a":1,"a":2}',
  'a property named twice in two spellings': '{"a":1,"\\u0061":2}',
  'a property named twice further in': '[{"b":[],"c":{"d":1,"d":1}}]',
};

for (const [name, text] of Object.entries(BAD)) {
  test(`${name} is refused`, () => {
    const refused = (error: unknown) => error instanceof Refusal && error.code === 'json-refused';
    // The walk may not be the longer the more of it there is: nobody else is served meanwhile.
    const read = () => runInNewContext('read()', { read: () => readJson(text) }, LIMIT);
    assert.throws(read, refused);
  });
}

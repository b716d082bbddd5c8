// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import { openLog } from './log.ts';
import { Secret, SecretText } from './secret.ts';

const VALUE = 'correct-horse-battery';
const secret = new Secret(VALUE);

const WAYS: Readonly<Record<string, () => string>> = {
  'a template string': () => `${secret}`,
  concatenation: () => ['', secret].join('') + secret,
  JSON: () => JSON.stringify({ deep: [{ secret }] }),
  inspect: () => inspect({ deep: { secret } }, { depth: 9, showHidden: true }),
  format: () => format('%s %o %O %j', secret, secret, secret, secret),
  'the message of an error': () => inspect(new Error(`refused ${secret}`)),
  'the cause of an error': () => inspect(new Error('refused', { cause: { secret } })),
  'its own properties': () => JSON.stringify([Object.entries(secret), { ...secret }]),
  'a structured clone': () => inspect(structuredClone({ secret })),
  'the serialised heap': () => serialize({ secret }).toString('latin1'),
  'a number': () => String(Number(secret as unknown as string)),
};

for (const [name, way] of Object.entries(WAYS)) {
  test(`a secret does not show in ${name}`, () => {
    assert.equal(way().includes(VALUE), false, way());
  });
}

test('a secret does not show in a log line, however deep it sits', () => {
  const lines: string[] = [];
  const log = openLog('gateway', 'info', { write: (line: string) => void lines.push(line) });
  log.warn('refused', {
    secret,
    config: { deep: [secret] },
    err: new Error('x', { cause: secret }),
  });
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.includes(VALUE), false, lines[0]);
  assert.match(lines[0] ?? '', /\[secret\]/);
});

test('a secret is revealed where it is asked for, and configuration makes it one', () => {
  assert.equal(secret.reveal(), VALUE);
  assert.equal(SecretText.parse(VALUE).reveal(), VALUE);
  assert.equal(SecretText.safeParse('').success, false);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STDIN_MESSAGE_BYTES_MAX, stdinClose, stdinMessages } from './channels.ts';
import { orderedStdin } from './stdin.ts';
import { byteTail } from './tail.ts';

for (const bytes of [0, 1, STDIN_MESSAGE_BYTES_MAX, STDIN_MESSAGE_BYTES_MAX + 1, 200_000]) {
  test(`${bytes} bytes of stdin become whole messages that carry exactly them`, () => {
    const input = Buffer.alloc(bytes, 'abcdefg');
    const messages = [...stdinMessages(input)];
    assert.equal(messages.length, Math.ceil(bytes / STDIN_MESSAGE_BYTES_MAX));
    assert.ok(messages.every((one) => one[0] === 0 && one.byteLength <= 32_769));
    assert.deepEqual(Buffer.concat(messages.map((one) => one.subarray(1))), input);
  });
}

test('the half-close has exactly one payload byte', () => {
  assert.deepEqual([...stdinClose()], [255, 0]);
});

test('a write that fails says that stdin is closed, the next one is still tried', async () => {
  const sent: string[] = [];
  let works = false;
  const stdin = orderedStdin({
    send: async (message) => {
      if (!works) throw new Error('EPIPE');
      sent.push(message.toString('utf8', 1));
    },
    halfCloses: () => true,
    closed: () => false,
  });
  await assert.rejects(stdin.write(Buffer.from('lost')), { code: 'stdin-closed' });
  works = true;
  await stdin.write(Buffer.from('sent'));
  assert.deepEqual(sent, ['sent']);
});

test('a tail keeps the last bytes, however they come', () => {
  const tail = byteTail(5);
  for (const part of ['ab', '', 'cdef', 'g']) tail.push(Buffer.from(part));
  assert.equal(tail.text(), 'cdefg');
  tail.push(Buffer.from('0123456789'));
  assert.equal(tail.text(), '56789');
});

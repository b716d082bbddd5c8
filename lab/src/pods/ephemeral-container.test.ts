// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expanded } from './ephemeral-container.ts';

for (const [text, result] of [
  ['echo $$$$', 'echo $$'],
  ['echo $(NAME)', 'echo value'],
  ['echo $(OTHER)', 'echo $(OTHER)'],
  ['echo $$(NAME)', 'echo $(NAME)'],
  ['echo $HOME', 'echo $HOME'],
] as const) {
  test(`the kubelet turns "${text}" into "${result}"`, () => {
    assert.equal(expanded(text, { NAME: 'value' }), result);
  });
}

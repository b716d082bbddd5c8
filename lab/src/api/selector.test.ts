// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldSelector, labelSelector } from './selector.ts';
import { ApiStatus } from './status.ts';

const LABELS = { app: 'web', tier: 'front' };

for (const [selector, holds] of [
  ['', true],
  ['app=web', true],
  ['app==web', true],
  ['app!=web', false],
  ['none!=web', true],
  ['app in (web, single)', true],
  ['app notin (web)', false],
  ['none notin (web)', true],
  ['none in (web)', false],
  ['app', true],
  ['!app', false],
  ['!none', true],
  ['app in (web,single),tier!=back', true],
  ['app=web,tier=back', false],
] as const) {
  test(`the label selector "${selector}" ${holds ? 'takes' : 'leaves'} app=web,tier=front`, () => {
    assert.equal(labelSelector(selector)(LABELS), holds);
  });
}

for (const selector of ['a=b=c', 'app in web', '=x']) {
  test(`the label selector "${selector}" is refused with 400`, () => {
    assert.throws(
      () => labelSelector(selector),
      (error: unknown) => {
        assert.ok(error instanceof ApiStatus);
        return error.code === 400;
      },
    );
  });
}

test('a field selector compares fields the resource has and refuses others', () => {
  const value = (field: string): string => (field === 'status.phase' ? 'Running' : '');
  assert.equal(fieldSelector('status.phase=Running', ['status.phase'])(value), true);
  assert.equal(fieldSelector('status.phase!=Running', ['status.phase'])(value), false);
  assert.throws(() => fieldSelector('spec.x=1', ['status.phase']), /not supported: spec\.x/);
});

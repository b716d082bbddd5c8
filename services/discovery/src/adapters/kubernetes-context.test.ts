// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadFault } from '@impound/evidence/upload-fault.ts';
import { Later, Never } from '@impound/runtime/fault.ts';
import { contextFault } from './kubernetes-context.ts';

const FULL = 'the store stayed full for as long as room was waited for: make room';
const FORBIDDEN = new Never('forbidden', 'get pods is not granted');

test('a store that stays full is called so, in its own words, and tried again', () => {
  const fault = contextFault(new UploadFault('store-full', FULL, 507));
  assert.ok(fault instanceof Later);
  assert.deepEqual([fault.code, fault.message], ['store-full', FULL]);
});

test('a store that is away is called so as well', () => {
  const away = new UploadFault('store-unreachable', 'it does not answer');
  assert.equal(contextFault(away).code, 'store-unreachable');
});

test('what nobody has a word for is a context that was not stored', () => {
  assert.equal(contextFault(new TypeError('it broke')).code, 'context-not-stored');
});

test('what the cluster refuses for good is not tried again', () => {
  assert.equal(contextFault(FORBIDDEN), FORBIDDEN);
});

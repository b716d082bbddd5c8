// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { negotiate } from './exec-protocol.ts';

for (const [offered, name] of [
  [[], ''],
  [['v4.channel.k8s.io', 'v5.channel.k8s.io'], 'v5.channel.k8s.io'],
  [['bogus', 'channel.k8s.io'], 'channel.k8s.io'],
  [['base64.channel.k8s.io'], 'base64.channel.k8s.io'],
  [['v3.channel.k8s.io', 'v5.base64.channel.k8s.io'], undefined],
] as const) {
  test(`of "${offered.join(', ')}" the server takes ${name ?? 'nothing'}`, () => {
    assert.equal(negotiate(offered)?.name, name);
  });
}

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { KNOWN_MAX } from '../domain/limits.ts';
import { takeSender } from './http-address.ts';
import { openKnown } from './http-known.ts';

function asked(remoteAddress: string, authorization?: string, url = '/'): IncomingMessage {
  const headers = authorization === undefined ? {} : { authorization };
  return { url, headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

test('who was let in is known by what it showed, wherever it comes from', () => {
  const known = openKnown();
  known.add(asked('10.0.0.1', 'Bearer one'));
  assert.ok(known.has(asked('10.0.0.2', 'Bearer one')));
  assert.ok(!known.has(asked('10.0.0.1', 'Bearer other')));
  assert.ok(!known.has(asked('10.0.0.1')), 'and nobody else who comes from there');
});

test('who signs, or shows a certificate, is known by where it comes from', () => {
  const known = openKnown();
  known.add(asked('10.0.0.1'));
  assert.ok(known.has(asked('10.0.0.1')));
  assert.ok(!known.has(asked('10.0.0.2')));
  assert.ok(!known.has(asked('10.0.0.1', 'Bearer guessed')));
});

test('a token in the path counts like one in a header', () => {
  const known = openKnown();
  const [one, other] = [asked('a', undefined, '/t/one/v1'), asked('a', undefined, '/t/other/v1')];
  for (const incoming of [one, other]) takeSender(incoming);
  known.add(one);
  assert.ok(known.has(one));
  assert.ok(!known.has(other));
});

test('the latest are remembered, and not more than there is room for', () => {
  const known = openKnown();
  for (let index = 0; index < KNOWN_MAX; index++) known.add(asked('a', `Bearer ${index}`));
  known.add(asked('a', 'Bearer 0'));
  known.add(asked('a', 'Bearer new'));
  assert.ok(known.has(asked('a', 'Bearer 0')), 'it came again meanwhile');
  assert.ok(!known.has(asked('a', 'Bearer 1')));
});

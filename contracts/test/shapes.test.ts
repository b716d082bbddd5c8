// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import oracle from 'canonicalize';
import fc from 'fast-check';
import { AcquisitionRequestedV1 } from '../src/acquisition/requested.v1.ts';
import { canonical } from '../src/canonical.ts';
import { fold } from '../src/chain.ts';
import { Entry, entryText, NO_PREVIOUS } from '../src/entry.ts';
import { statusOf } from '../src/status.ts';
import { TargetResolvedV1 } from '../src/target/resolved.v1.ts';
import { ClusterName, formatTarget, parseTarget } from '../src/target.ts';

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('any'), { maxKeys: 5 }),
  ),
})).any;

test('canonical JSON is what another implementation of RFC 8785 makes', () => {
  fc.assert(fc.property(value, (it) => assert.equal(canonical(it), oracle(it))));
});

test('what has no canonical form is refused with its path', () => {
  const cases: readonly [unknown, RegExp][] = [
    [{ a: 1.5 }, /\$\.a: not a safe integer/],
    [{ a: [1, 2 ** 53] }, /\$\.a\[1\]: not a safe integer/],
    [{ a: '\ud800' }, /\$\.a: a string with a lone surrogate/],
    [[() => 1], /\$\[0\]: function has no canonical form/],
    [Number.NaN, /\$: not a safe integer/],
  ];
  for (const [bad, message] of cases) assert.throws(() => canonical(bad), message);
});

test('an entry put together from the text of its event is canonical as a whole', () => {
  const event = { b: 1, a: { z: 'ü\n', y: [true, null] } };
  const head = {
    acq: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
    acqPrev: NO_PREVIOUS,
    acqSeq: 1,
    recordedAt: '2026-11-23T09:15:00.000000Z',
    salt: 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  const text = entryText(head, canonical(event));
  assert.equal(text, canonical({ ...head, v: 1, event }));
  assert.equal(canonical(JSON.parse(text)), text);
});

test('a target is written and read back, whatever its cluster is called', () => {
  fc.assert(
    fc.property(
      fc
        .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
        .filter((name) => ClusterName.safeParse(name).success),
      (cluster) => {
        const uri = formatTarget({
          kind: 'kubernetes',
          cluster,
          namespace: 'shop',
          pod: 'cart-1',
          container: 'cart',
        });
        assert.equal(formatTarget(parseTarget(uri)), uri);
        assert.equal(parseTarget(uri).cluster, cluster);
      },
    ),
  );
  const bySelector = 'kubernetes://c/shop?selector=app%3Dcart&container=cart';
  assert.equal(formatTarget(parseTarget(bySelector)), bySelector);
});

test('what is no target is refused', () => {
  for (const bad of [
    '',
    'http://a/b/c',
    'kubernetes://c',
    'kubernetes://c/ns',
    'kubernetes://c/NS/p',
    'kubernetes://c/n/../p/x',
    'kubernetes://c/n/p/c/d',
    'kubernetes://c/n/p?selector=a',
    'kubernetes://c/n/p?contaner=a',
    'kubernetes://c/n/p/a?container=b',
    'kubernetes://c/n?selector=a&selector=b',
    'kubernetes://c/n?selector=a&container=b&container=c',
  ]) {
    assert.throws(() => parseTarget(bad), Error, bad);
  }
});

test('an acquisition that was only requested is being resolved', () => {
  const entry = Entry.parse({
    v: 1,
    acq: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
    acqSeq: 1,
    acqPrev: NO_PREVIOUS,
    recordedAt: '2026-11-23T09:15:00.000000Z',
    salt: 'AAAAAAAAAAAAAAAAAAAAAA==',
    event: {
      specversion: '1.0',
      id: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d02',
      source: '/impound/gateway/gw-1',
      type: 'acquisition.requested.v1',
      subject: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
      time: '2026-11-23T09:15:00.000000Z',
      datacontenttype: 'application/json',
      tenant: 'default',
      data: AcquisitionRequestedV1.example,
    },
  });
  const state = fold([entry]);
  assert.equal(state.version, 1);
  assert.equal(state.approved, true);
  assert.equal(statusOf(state), 'resolving');
});

test('a word that a later version says is unknown to this one, and what is no word is refused', () => {
  const { container } = TargetResolvedV1.example;
  const said = (os: string) => ({ ...TargetResolvedV1.example, container: { ...container, os } });
  assert.equal(TargetResolvedV1.shape.parse(said('plan9')).container.os, 'unknown');
  assert.equal(TargetResolvedV1.shape.parse(said('linux')).container.os, 'linux');
  assert.equal(TargetResolvedV1.shape.safeParse(said('no word')).success, false);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonical } from '@impound/contracts/canonical.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { refusal } from './refusal.ts';
import { isSay, readSay } from './say.ts';

const EVENT = {
  specversion: '1.0',
  id: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
  source: '/impound/discovery/d-1',
  type: 'target.missing.v1',
  subject: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d02',
  time: '2026-02-28T09:15:00.123456Z',
  datacontenttype: 'application/json',
  tenant: 'default',
  data: TargetMissingV1.example,
};

function read(text: string | Uint8Array, service = 'discovery') {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const where = { service, tenant: 'default', noun: 'target', verb: 'missing' };
  return readSay({ ...where, bytes, expectedVersion: undefined });
}

test('an event is read as it came, unknown attributes and all', () => {
  const text = canonical({ ...EVENT, later: 'unknown', data: { ...EVENT.data, more: 1 } });
  const said = read(text);
  assert.ok(isSay(said));
  assert.equal(said.text, text);
});

const whole = canonical(EVENT);
const REFUSED: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
  ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), /UTF-8/],
  ['a byte order mark', `\ufeff${whole}`, /canonical/],
  ['white space', ` ${whole}`, /canonical/],
  ['another order of keys', JSON.stringify(EVENT), /canonical/],
  ['a key twice', whole.replace('{', '{"data":{},'), /canonical/],
  ['a fraction', whole.replace('"data":{', '"data":{"a":1.5,'), /canonical/],
  ['a depth without end', '['.repeat(40_000), /canonical/],
  ['no envelope', '{}', /no envelope/],
  ['an unknown type', canonical({ ...EVENT, type: 'target.lost.v1' }), /no event is called/],
  ['data of another shape', canonical({ ...EVENT, data: {} }), /no target.missing.v1/],
  ['another tenant than the subject', canonical({ ...EVENT, tenant: 'b' }), /another tenant/],
  ['an id in capitals', canonical({ ...EVENT, id: EVENT.id.toUpperCase() }), /lower-case/],
  ['a 30th of February', whole.replace('2026-02-28', '2026-02-30'), /does not exist/],
  ['a 25th hour', whole.replace('T09:15', 'T25:15'), /does not exist/],
  ['a time before 1970', whole.replace('2026-02-28', '0000-02-28'), /before 1970/],
];

for (const [what, text, because] of REFUSED) {
  test(`refused as invalid: ${what}`, () => {
    const said = read(text);
    assert.ok(!isSay(said));
    assert.equal(said.refusal, 'invalid');
    assert.match(said.because, because);
  });
}

for (const source of ['/impound/gateway/g-1', '/impound/ledger/l-1', '/impound/nobody/n-1']) {
  test(`refused as forbidden: ${source} does not say target.missing.v1`, () => {
    const [, , service] = source.split('/');
    const said = read(canonical({ ...EVENT, source }), service);
    assert.ok(!isSay(said));
    assert.equal(said.refusal, 'forbidden');
  });
}

test('refused as forbidden: who says it on the bus is another than the event names', () => {
  const said = read(canonical(EVENT), 'uploader');
  assert.ok(!isSay(said));
  assert.deepEqual(said, { refusal: 'forbidden', because: 'uploader is not discovery' });
});

test('the words of a refusal fit the contract of an answer whatever a say put into them', () => {
  const { because } = refusal('invalid', `a\u0000b${'\u{1f600}'.repeat(900)}`, 0);
  assert.ok(because.length <= 1_024 && because.isWellFormed() && because.startsWith('a b'));
});

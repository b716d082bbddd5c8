// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Integration } from '@impound/contracts/integration.ts';
import { judged } from './integrations.ts';

const NOW = Date.UTC(2026, 10, 28);
const TOKEN = { kind: 'token', id: 'key-1', sha256: 'a'.repeat(64) };
const WELL = {
  id: 'siem',
  kind: 'integration',
  tenant: 'default',
  credentials: [TOKEN],
  clusters: ['prod'],
  namespaces: ['shop'],
  approval: 'never',
};

function look(change: object): readonly string[] {
  const findings = judged([Integration.parse({ ...WELL, ...change })], NOW);
  return findings.map(({ verdict, what }) => `${verdict} ${what}`);
}

test('an integration within its bounds is well', () => {
  assert.deepEqual(look({}), ['ok 1 may come in, each within its bounds']);
});

const WIDE = { clusters: ['*'], namespaces: ['*'] };
const SICK: readonly (readonly [string, object, RegExp])[] = [
  ['everything without approval', WIDE, /^advice siem may acquire from every cluster/],
  ['a token in a URL', { credentials: [{ ...TOKEN, inUrl: true }] }, /in the path of a URL/],
  [
    'no credential that counts',
    { credentials: [{ ...TOKEN, notAfter: '2026-11-27T00:00:00.000000Z' }] },
    /no credential that counts/,
  ],
  [
    'a callback in the clear',
    { callback: { url: 'http://siem.example', secrets: [`whsec_${'a'.repeat(32)}`] } },
    /plain HTTP/,
  ],
];
for (const [what, change, words] of SICK) {
  test(`an integration with ${what} is told of`, () => {
    const told = look(change);
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(told[0] ?? '', words);
  });
}

test('a person, somebody who is approved, and who was revoked may be as wide as they are', () => {
  for (const change of [
    { kind: 'person' },
    { approval: 'always' },
    { revokedAt: '2026-11-27T00:00:00.000000Z' },
  ]) {
    assert.deepEqual(
      look({ ...WIDE, ...change }).map((one) => one.slice(0, 2)),
      ['ok'],
    );
  }
});

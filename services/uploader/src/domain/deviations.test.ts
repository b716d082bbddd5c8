// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Retention } from '@impound/contracts/evidence.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { deviations } from './deviations.ts';
import type { Held } from './evidence-store.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse('2026-11-23T09:15:00Z');
const inDays = (days: number) => timeOf(NOW_MS + days * DAY_MS);
const governance: Retention = { mode: 'governance', until: inDays(30) };
const compliance: Retention = { mode: 'compliance', until: inDays(30) };
const SHA256 = 'c'.repeat(64);
const HELD: Held = { bytes: 7, topVersionId: 'v1', retention: compliance };

function found(
  laid: Retention,
  held: Partial<Held> | undefined,
  ...[versionId, fingerprint]: [string?, string?]
) {
  const object = { name: 'manifest.jsonl', key: 'default/a/e1/manifest.jsonl', bytes: 7 };
  const version = versionId === undefined ? {} : { versionId };
  const told = { ...version, ...(fingerprint && { fingerprint }), verifiedAt: inDays(-1) };
  const stored = { ...object, ...told, sha256: SHA256, retention: laid };
  const now = held && { ...HELD, ...held };
  return deviations(stored as never, now, NOW_MS).map(({ code }) => code);
}

test('what is held as it is on record, or more strictly and longer, is no deviation', () => {
  assert.deepEqual(found(compliance, {}, 'v1'), []);
  assert.deepEqual(found(governance, {}, 'v1'), []);
  assert.deepEqual(found(governance, { sha256: SHA256 }), []);
  const longer = { retention: { ...compliance, until: inDays(31) } };
  assert.deepEqual(found(compliance, longer), []);
});

test('a lock that was lifted, weakened or shortened is found while no byte has changed', () => {
  assert.deepEqual(found(governance, { retention: { mode: 'none' } }), ['lock-lifted']);
  assert.deepEqual(found(compliance, { retention: governance }), ['lock-weakened']);
  const shorter = { retention: { ...governance, until: inDays(29) } };
  assert.deepEqual(found(governance, shorter), ['lock-shortened']);
  assert.deepEqual(found(compliance, shorter), ['lock-weakened', 'lock-shortened']);
});

test('a lock whose time is over need not be held', () => {
  const over: Retention = { mode: 'governance', until: inDays(-1) };
  assert.deepEqual(found(over, { retention: { mode: 'none' } }), []);
  assert.deepEqual(found({ mode: 'none' }, { retention: { mode: 'none' } }), []);
});

test('another version on top, a mark that it was deleted, other bytes, or nothing there is found', () => {
  assert.deepEqual(found(compliance, { topVersionId: 'v2' }, 'v1'), ['object-replaced']);
  assert.deepEqual(found(compliance, { topVersionId: undefined }, 'v1'), ['object-deleted']);
  assert.deepEqual(found(compliance, { bytes: 8 }), ['object-differs']);
  assert.deepEqual(found(compliance, { sha256: 'd'.repeat(64) }), ['object-differs']);
  assert.deepEqual(found(compliance, undefined), ['object-gone']);
});

test('what the store told bytes by is compared with all that it tells now, where it is on record', () => {
  const by = (fingerprint: string, fingerprints?: readonly string[]) =>
    found({ mode: 'none' }, { fingerprints: fingerprints ?? [] }, undefined, fingerprint);
  assert.deepEqual(by('etag:"a"', ['sha256:b-3', 'etag:"a"']), []);
  assert.deepEqual(by('etag:"a"', ['sha256:b-3', 'etag:"c"']), ['object-differs']);
  assert.deepEqual(by('sha256:b-3'), ['object-differs']);
  assert.deepEqual(found({ mode: 'none' }, { fingerprints: ['etag:"c"'] }), []);
});

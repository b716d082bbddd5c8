// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicy } from '@impound/transparency/policy.ts';
import { type OutsideSettings, outsideFindings, type ShownFacts } from './outside.ts';

const MINUTE_MS = 60_000;
const NOW = 1_795_000_000_000;
const WITNESS = `witness w ${'ab'.repeat(32)} https://witness.example.net\n`;
const SETTINGS: OutsideSettings = {
  policy: parsePolicy(`${WITNESS}quorum w\n`),
  mirror: 's3://mirror/log/?endpoint=https://s3.example.net',
  authority: 'https://tsa.example.net/tsr',
};
const FRESH: ShownFacts = {
  checkpointMs: NOW,
  cosignedMs: NOW - MINUTE_MS,
  anchoredMs: NOW - 20 * MINUTE_MS,
};

const verdicts = (settings: OutsideSettings, facts: ShownFacts | undefined) =>
  outsideFindings(settings, facts).map(({ check, verdict }) => `${check} ${verdict}`);

test('a log with witness, mirror and authority of time is well', () => {
  assert.deepEqual(verdicts(SETTINGS, FRESH), ['log-witness ok', 'log-mirror ok', 'log-time ok']);
  assert.deepEqual(verdicts(SETTINGS, undefined), verdicts(SETTINGS, FRESH));
});

test('a log that nobody outside remembers is told of in sentences that say what it means', () => {
  const findings = outsideFindings({}, FRESH);
  assert.deepEqual(
    findings.map(({ verdict }) => verdict),
    ['advice', 'advice', 'advice'],
  );
  const text = findings.map(({ what }) => what).join('\n');
  for (const said of [/no witness/, /no mirror/, /only our own clock/]) assert.match(text, said);
  assert.ok(findings.every(({ next }) => next?.includes('docs/witnesses.md')));
});

test('witnesses that no quorum needs are as good as none', () => {
  const policy = parsePolicy(`${WITNESS}quorum none\n`);
  assert.equal(verdicts({ ...SETTINGS, policy }, FRESH)[0], 'log-witness advice');
});

test('a witness or an authority that was not heard of for long is sick', () => {
  const away = { checkpointMs: NOW, cosignedMs: NOW - 11 * MINUTE_MS, anchoredMs: undefined };
  assert.deepEqual(verdicts(SETTINGS, away), [
    'log-witness sick',
    'log-mirror ok',
    'log-time sick',
  ]);
  const begun = { checkpointMs: undefined, cosignedMs: undefined, anchoredMs: undefined };
  assert.deepEqual(verdicts(SETTINGS, begun), verdicts(SETTINGS, FRESH));
});

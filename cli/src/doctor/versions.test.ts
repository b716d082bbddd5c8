// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from './finding.ts';
import { natsFinding, nodeFinding, postgresFinding } from './versions.ts';

const VERSIONS: readonly (readonly [Finding, Finding['verdict'], RegExp])[] = [
  [nodeFinding('24.12.0'), 'ok', /Node 24\.12\.0/],
  [nodeFinding('26.1.0'), 'ok', /Node 26/],
  [nodeFinding('24.11.9'), 'sick', /24\.11\.9/],
  [nodeFinding('25.3.0'), 'sick', /25\.3/],
  [natsFinding('2.15.0'), 'ok', /2\.15\.0/],
  [natsFinding('2.12.7'), 'ok', /2\.12\.7/],
  [natsFinding('2.11.16'), 'ok', /2\.11\.16/],
  [natsFinding('2.12.6'), 'advice', /advisories 2026/],
  [natsFinding('2.10.29'), 'advice', /advisories 2026/],
  [natsFinding('2.9.15'), 'advice', /advisories 2026/],
  [natsFinding('2.9.14'), 'advice', /ended by one message/],
  [natsFinding('2.9.10'), 'advice', /ended by one message/],
  [natsFinding('2.9.9'), 'sick', /older than anything/],
  [natsFinding('v2.14.0-RC.1'), 'ok', /2\.14/],
  [natsFinding('dev'), 'unknown', /dev/],
  [postgresFinding(170_010), 'ok', /17\.10/],
  [postgresFinding(190_000), 'ok', /19\.0/],
  [postgresFinding(170_009), 'advice', /lacks the repairs of 17\.10/],
  [postgresFinding(150_018), 'ok', /15\.18/],
  [postgresFinding(140_023), 'sick', /gets no repairs/],
];
for (const [finding, verdict, words] of VERSIONS) {
  test(`${finding.what} is ${verdict}`, () => {
    assert.equal(finding.verdict, verdict);
    assert.match(finding.what, words);
    assert.equal(finding.next === undefined, verdict === 'ok');
  });
}

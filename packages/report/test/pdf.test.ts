// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { accountOf } from '../src/account.ts';
import { pdf } from '../src/pdf.ts';
import { chain, chainNames } from './chains.ts';

const AT = '2026-11-28T08:00:00.000000Z';
const BAG = 'b'.repeat(64);

async function reportOf(name: string, change: object = {}): Promise<Buffer> {
  const account = accountOf(await chain(name, change));
  return await buffer(pdf({ account, bagSha256: BAG, at: AT }));
}

const hasReader = spawnSync('pdftotext', ['-v']).error === undefined;
const skip = hasReader ? false : 'pdftotext is not installed: apt-get install poppler-utils';

function textOf(report: Buffer): string {
  const { stdout, status } = spawnSync('pdftotext', ['-layout', '-', '-'], { input: report });
  assert.equal(status, 0);
  return stdout.toString();
}

test('the same chain at the same time gives the same bytes, whatever way it ended', async () => {
  for (const name of await chainNames()) {
    const report = await reportOf(name);
    assert.match(report.subarray(0, 8).toString(), /^%PDF-1\.7/, name);
    assert.deepEqual(report, await reportOf(name), name);
  }
});

test('a reader finds every entry, exhibit and digest, and a form that nobody signed', {
  skip,
}, async () => {
  const { entries, exhibits } = accountOf(await chain('sealed.json'));
  const text = textOf(await reportOf('sealed.json'));
  for (const { entry, leaf } of entries) {
    assert.ok(text.includes(`Entry ${entry.acqSeq}: ${entry.event.type}`));
    assert.ok(text.includes(leaf));
  }
  for (const { sha256 } of exhibits) assert.ok(text.includes(sha256));
  assert.match(text, /Certification of a qualified person[\s\S]*not signed/);
  assert.match(text, /Signature\s*$/);
});

test('what turns text around or looks like other letters is printed as its number', {
  skip,
}, async () => {
  const reason = 'p\u0430ypal \u202etxt.exe \u200b\u2014';
  const text = textOf(await reportOf('sealed.json', { reason }));
  assert.ok(text.includes('p\\u{430}ypal \\u{202e}txt.exe \\u{200b}\\u{2014}'));
  assert.doesNotMatch(text, /[\u202e\u200b\u0430]/);
});

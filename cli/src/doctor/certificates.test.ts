// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCertificates } from '@impound/lab/certificates.ts';
import { certificateFinding } from './certificates.ts';

const DAY_MS = 86_400_000;
const { certificate, authority } = await makeCertificates(90);
const now = Date.now();

const TIMES: readonly (readonly [string, number, string, RegExp])[] = [
  ['in use', 1, 'ok', /valid until \d{4}-/],
  ['about to end', 80, 'advice', /expires in 9 days/],
  ['over', 91, 'sick', /has expired/],
  ['not begun', -1, 'sick', /not valid yet/],
];
for (const [what, days, verdict, said] of TIMES) {
  test(`a certificate that is ${what} is ${verdict}`, () => {
    const finding = certificateFinding('tls.pem', certificate, now + days * DAY_MS);
    assert.equal(finding.verdict, verdict);
    assert.match(finding.what, said);
  });
}

test('of several certificates the first to end counts', async () => {
  const { certificate: short } = await makeCertificates(2);
  const finding = certificateFinding('tls.pem', `${authority}${short}`, now + 3 * DAY_MS);
  assert.equal(finding.verdict, 'sick');
});

for (const pem of ['', 'no certificate', certificate.slice(0, -30)]) {
  test(`${JSON.stringify(pem.slice(0, 20))} is no certificate`, () => {
    assert.equal(certificateFinding('tls.pem', pem, now).verdict, 'sick');
  });
}

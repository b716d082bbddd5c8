// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { checkOf, examine, type Finding } from './finding.ts';

const DAY_MS = 86_400_000;
/** Time to renew one, and to let those who trust it know. */
const DAYS_LEFT_MIN = 14;
const BEGINNING = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Looks at the certificates in files, e.g. the one that the gateway shows. */
export async function certificateFindings(paths: readonly string[]): Promise<readonly Finding[]> {
  const next = 'let it be a certificate in PEM that doctor may read';
  const found = await Promise.all(
    paths.map((path) =>
      examine('certificates', next, async () => {
        const text = await readFile(path, 'utf8');
        // Nothing is there where nobody is to be trusted yet.
        return text.trim() === '' ? [] : [certificateFinding(path, text, Date.now())];
      }),
    ),
  );
  return found.flat();
}

/** What the first of some certificates to end means. `now` is in Unix milliseconds. */
export function certificateFinding(whose: string, pem: string, now: number): Finding {
  const check = checkOf('certificates');
  const all = (pem.match(CERTIFICATE) ?? []).map((one) => new X509Certificate(one));
  if (all.length === 0 || BEGINNING.test(pem.replaceAll(CERTIFICATE, ''))) {
    return check.sick(`${whose}: not every certificate in it can be read`, 'put it there in PEM');
  }
  const begins = Math.max(...all.map(({ validFromDate }) => validFromDate.getTime()));
  const ends = Math.min(...all.map(({ validToDate }) => validToDate.getTime()));
  const day = new Date(ends).toISOString().slice(0, 10);
  const days = Math.floor((ends - now) / DAY_MS);
  if (now > ends) {
    return check.sick(`${whose}: a certificate has expired (${day})`, 'renew it: nobody takes it');
  }
  if (now < begins) {
    const next = 'compare the clocks of this machine and of whoever has made it';
    return check.sick(`${whose}: a certificate is not valid yet`, next);
  }
  if (days >= DAYS_LEFT_MIN) return check.ok(`${whose}: valid until ${day}`);
  return check.advice(`${whose}: a certificate expires in ${days} days (${day})`, 'renew it now');
}

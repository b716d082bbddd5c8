// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { stamp } from '../src/authority.ts';
import { timestampRequest } from '../src/request.ts';
import { opensslAuthority, type Signer } from '../src/testing/openssl-authority.ts';
import { signedBy } from '../src/testing/signed-token.ts';
import { checkToken } from '../src/token.ts';

const NOTE = Buffer.from('ledger.example.org/custody/1\n1000\nAAAA\n\n');
const NONCE = Buffer.from('00ff34567890abcdef1234567890abcd', 'hex');

const refusedAs = (code: string) => (error: unknown) => {
  assert.equal((error as { code?: string }).code, code, String(error));
  return true;
};

for (const algorithm of ['ec', 'rsa'] as const) {
  test(`a note is stamped by an authority with ${algorithm} keys, and openssl agrees`, async (t) => {
    const authority = await opensslAuthority(t, algorithm);
    const trusted = [authority.root];
    const before = Date.now();
    const stamped = await stamp({ url: authority.url, trusted }, NOTE, t.signal);
    assert.equal(await authority.verify(stamped.token, NOTE), true);
    assert.match(stamped.authority, /CN=tsa/);
    assert.equal(stamped.policy, '1.3.6.1.4.1.99999.1');
    assert.ok(Math.abs(stamped.at.getTime() - before) < 3_600_000);
    const again = await checkToken(stamped.token, { data: NOTE, trusted });
    assert.deepEqual(again.serial, stamped.serial);
  });
}

test('openssl reads the request as it is meant, whatever the first bit of the nonce', async (t) => {
  const authority = await opensslAuthority(t);
  for (const nonce of [
    '00'.repeat(16),
    '7f'.repeat(16),
    'ff'.repeat(16),
    `0000${'80'.repeat(14)}`,
  ]) {
    await writeFile(join(authority.dir, 'q'), timestampRequest(NOTE, Buffer.from(nonce, 'hex')));
    const read = await authority.openssl('ts', '-query', '-in', 'q', '-text');
    assert.match(read, /Hash Algorithm: sha256/);
    assert.match(read, /Certificate required: yes/);
    assert.match(read.toLowerCase(), new RegExp(`nonce: 0x0*${nonce.replace(/^0+/, '')}\n`));
  }
});

test('a token for other bytes, or for another request, is refused', async (t) => {
  const authority = await opensslAuthority(t);
  const trusted = [authority.root];
  const token = await authority.reply(timestampRequest(NOTE, NONCE));
  const data = Buffer.from('other');
  assert.notEqual(await authority.verify(token, data), true);
  const rejected = checkToken(token, { data, trusted });
  await assert.rejects(rejected, refusedAs('timestamp-of-other-data'));
  const replayed = checkToken(token, { data: NOTE, nonce: Buffer.alloc(16, 1), trusted });
  await assert.rejects(replayed, refusedAs('timestamp-replayed'));
  await checkToken(token, { data: NOTE, nonce: NONCE, trusted });
});

const UNFIT: readonly (readonly [Signer, string])[] = [
  ['expired', 'timestamp-untrusted'],
  ['stranger', 'timestamp-untrusted'],
  ['server', 'timestamp-unfit-certificate'],
  ['both', 'timestamp-unfit-certificate'],
];

for (const [signer, code] of UNFIT) {
  test(`a token under a certificate that is "${signer}" is refused, by openssl too`, async (t) => {
    const authority = await opensslAuthority(t);
    const token = await signedBy(authority, signer, NOTE);
    assert.notEqual(await authority.verify(token, NOTE), true);
    const rejected = checkToken(token, { data: NOTE, trusted: [authority.root] });
    await assert.rejects(rejected, refusedAs(code));
  });
}

test('the way in which the unfit tokens are made makes a good one of a good certificate', async (t) => {
  const authority = await opensslAuthority(t);
  const token = await signedBy(authority, 'good', NOTE);
  assert.equal(await authority.verify(token, NOTE), true);
  await checkToken(token, { data: NOTE, trusted: [authority.root] });
});

test('whichever byte of a token is changed, it is refused or says the same', async (t) => {
  const authority = await opensslAuthority(t);
  const expected = { data: NOTE, nonce: NONCE, trusted: [authority.root] };
  const token = await authority.reply(timestampRequest(NOTE, NONCE));
  const { at, serial } = await checkToken(token, expected);
  let refused = 0;
  for (let index = 0; index < token.length; index += 3) {
    const forged = Buffer.from(token);
    forged[index] = (forged[index] ?? 0) ^ 0x01;
    try {
      const found = await checkToken(forged, expected);
      assert.deepEqual([found.at, found.serial], [at, serial]);
    } catch (error) {
      assert.match(String((error as { code?: string }).code), /^timestamp-/, String(error));
      refused++;
    }
  }
  assert.ok(refused > token.length / 6, `only ${refused} refused`);
});

test('what is no answer, is cut off, or never ends, is refused in words', async (t) => {
  const authority = await opensslAuthority(t);
  const expected = { data: NOTE, trusted: [authority.root] };
  const token = await authority.reply(timestampRequest(NOTE, NONCE));
  const deep = Buffer.concat([...Array(8_000)].map(() => Buffer.from([0x30, 0x80])));
  const broken = [Buffer.alloc(0), Buffer.from('<html>'), token.subarray(0, 400), deep];
  for (const answer of [...broken, Buffer.alloc(70_000)]) {
    await assert.rejects(checkToken(answer, expected), refusedAs('timestamp-malformed'));
  }
});

test('an authority that declines, fails, or answers something else is told apart', async (t) => {
  const authority = await opensslAuthority(t);
  const at = { url: authority.url, trusted: [authority.root] };
  const answers = async (
    answer: { status?: number; type?: string; body: Uint8Array },
    code: string,
  ) => {
    authority.answers = () => answer;
    await assert.rejects(stamp(at, NOTE, t.signal), refusedAs(code));
  };
  const declined = Buffer.from('30053003020102', 'hex');
  await answers({ body: declined }, 'timestamp-declined');
  await answers({ status: 503, body: Buffer.alloc(0) }, 'authority-away');
  await answers({ status: 404, body: Buffer.alloc(0) }, 'authority-refuses');
  await answers({ type: 'text/html', body: Buffer.from('<html>') }, 'authority-away');
  await answers({ body: Buffer.alloc(100_000) }, 'timestamp-malformed');
  const stopped = stamp({ ...at, url: new URL('http://127.0.0.1:9/') }, NOTE, t.signal);
  await assert.rejects(stopped, refusedAs('authority-away'));
});

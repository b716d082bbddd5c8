// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { noteSigner, signNote } from './note.ts';
import { ProofFault, type ProofFaultCode } from './proof-fault.ts';
import { KEY_TYPES, rawPublicKey, vkey } from './vkey.ts';

const ORIGIN = 'ledger.example/custody/1';
const ROOT = Buffer.alloc(32, 7);
const TEXT = formatCheckpoint({ origin: ORIGIN, size: 1_001n, root: ROOT });

function signer(name: string) {
  const { privateKey } = generateKeyPairSync('ed25519');
  return noteSigner(vkey(name, KEY_TYPES.note, rawPublicKey(privateKey)), privateKey);
}

function refuses(code: ProofFaultCode, work: () => unknown): void {
  assert.throws(work, (error) => error instanceof ProofFault && error.code === code);
}

test('a checkpoint is three lines and is read as it was written', () => {
  assert.equal(TEXT, `${ORIGIN}\n1001\n${ROOT.toString('base64')}\n`);
  assert.deepEqual(parseCheckpoint(TEXT), { origin: ORIGIN, size: 1_001n, root: ROOT });
});

const SIZES: readonly (readonly [string, bigint])[] = [
  ['0', 0n],
  ['9007199254740993', 9_007_199_254_740_993n],
  ['9223372036854775807', 2n ** 63n - 1n],
];
for (const [text, size] of SIZES) {
  test(`a size of ${text} keeps every digit`, () => {
    assert.equal(parseCheckpoint(TEXT.replace('1001', text)).size, size);
  });
}

const MALFORMED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['no origin', TEXT.replace(ORIGIN, '')],
  ['no size', TEXT.replace('1001\n', '')],
  ['a leading zero', TEXT.replace('1001', '01001')],
  ['a negative size', TEXT.replace('1001', '-1')],
  ['a size with an exponent', TEXT.replace('1001', '1e3')],
  ['a size in digits of another script', TEXT.replace('1001', '\u0661')],
  ['a size of more than 63 bits', TEXT.replace('1001', '9223372036854775808')],
  ['a size of a thousand digits', TEXT.replace('1001', '1'.repeat(1_000))],
  ['a short root', TEXT.replace(/.{4}\n$/, '\n')],
  ['an empty line', `${TEXT}\n`],
  ['no last newline', TEXT.slice(0, -1)],
  ['an empty line before its extension', `${TEXT}\nmore\n`],
];
for (const [what, text] of MALFORMED) {
  test(`a checkpoint with ${what} is refused`, () => {
    refuses('checkpoint-malformed', () => parseCheckpoint(text));
  });
}

test('lines that a log adds are signed with the rest and mean nothing', async () => {
  const own = signer(ORIGIN);
  const opened = openCheckpoint(Buffer.from(await signNote(`${TEXT}more\n`, [own])), [own.vkey]);
  assert.equal(opened.size, 1_001n);
});

test('a checkpoint is opened by the key of its own log, and by no other known key', async () => {
  const own = signer(ORIGIN);
  const other = signer('other.example');
  const bytes = Buffer.from(await signNote(TEXT, [own, other]));
  const { size, verified } = openCheckpoint(bytes, [own.vkey, other.vkey]);
  assert.equal(size, 1_001n);
  assert.deepEqual(
    verified.map(({ key }) => key),
    [own.vkey, other.vkey],
  );
  refuses('signature-missing', () => openCheckpoint(bytes, [other.vkey]));
  refuses('signature-missing', () => openCheckpoint(bytes, [signer(ORIGIN).vkey]));
});

test('a name with the signs of a pattern in it is a name', async () => {
  const name = 'ledger.(example|.*)[a-z]+$'.replace('+', '{1,}');
  const own = signer(name);
  const text = formatCheckpoint({ origin: name, size: 1n, root: ROOT });
  assert.equal(openCheckpoint(Buffer.from(await signNote(text, [own])), [own.vkey]).origin, name);
});

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { cosignedMessage, writeCosignature } from './cosignature.ts';
import {
  noteSigner,
  parseNote,
  SIGNATURES_MAX,
  signatureLine,
  signNote,
  verifyNote,
} from './note.ts';
import { ProofFault, type ProofFaultCode } from './proof-fault.ts';
import { KEY_TYPES, parseVkey, rawPublicKey, type Vkey, vkey } from './vkey.ts';

const TEXT = 'ledger.example/1\n7\nAAAA\n';

function signer(name: string, type: Vkey['type'] = KEY_TYPES.note) {
  const { privateKey } = generateKeyPairSync('ed25519');
  return noteSigner(vkey(name, type, rawPublicKey(privateKey)), privateKey);
}

function refuses(code: ProofFaultCode, work: () => unknown): void {
  assert.throws(work, (error) => error instanceof ProofFault && error.code === code);
}

const bytes = (text: string) => Buffer.from(text);
const own = signer('ledger.example/1');
const note = await signNote(TEXT, [own]);
const [line = ''] = note.slice(TEXT.length + 1).split(/(?<=\n)/);

test('the example of C2SP signed-note is verified', () => {
  const key = parseVkey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
  const signature =
    'Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=';
  const text = `This is an example message.\n\n\u2014 example.com/foo ${signature}\n`;
  assert.deepEqual(verifyNote(parseNote(bytes(text)), [key]), [{ key }]);
  refuses('signature-refused', () =>
    verifyNote(parseNote(bytes(text.replace('an ', 'no '))), [key]),
  );
});

test('what was signed is verified, and every changed byte of the text is refused', () => {
  const parsed = parseNote(bytes(note));
  assert.equal(parsed.text, TEXT);
  assert.deepEqual(verifyNote(parsed, [own.vkey]), [{ key: own.vkey }]);
  for (let at = 0; at < TEXT.length - 1; at++) {
    const changed = bytes(note);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => verifyNote(parseNote(changed), [own.vkey]), ProofFault);
  }
});

test('a signature of an unknown key is left out, one of a known key that does not fit is refused', () => {
  const foreign = signatureLine(signer('other.example').vkey, Buffer.alloc(64));
  const both = parseNote(bytes(note + foreign));
  assert.equal(both.signatures.length, 2);
  assert.deepEqual(verifyNote(both, [own.vkey]), [{ key: own.vkey }]);
  refuses('signature-missing', () => verifyNote(both, [signer('third.example').vkey]));
  const forged = parseNote(bytes(`${note}${signatureLine(own.vkey, Buffer.alloc(64))}`));
  refuses('signature-refused', () => verifyNote(forged, [own.vkey]));
  const short = parseNote(bytes(`${TEXT}\n${signatureLine(own.vkey, Buffer.alloc(3))}`));
  refuses('signature-refused', () => verifyNote(short, [own.vkey]));
});

test('another key under the same name has another id and has signed nothing', () => {
  const other = signer('ledger.example/1');
  refuses('signature-missing', () => verifyNote(parseNote(bytes(note)), [other.vkey]));
});

test('a key with the id of another one fails by its signature and does not crash', () => {
  const collided: Vkey = { ...signer('ledger.example/1').vkey, id: own.vkey.id };
  refuses('signature-refused', () => verifyNote(parseNote(bytes(note)), [collided]));
  const verified = verifyNote(parseNote(bytes(note)), [collided, own.vkey]);
  assert.deepEqual(verified, [{ key: own.vkey }]);
  const noPoint: Vkey = { ...own.vkey, key: Buffer.alloc(32, 0xff) };
  refuses('signature-refused', () => verifyNote(parseNote(bytes(note)), [noPoint]));
});

test('a witness signs the checkpoint and the time, and neither can be changed', async () => {
  const witness = signer('witness.example', KEY_TYPES.cosignature);
  const time = 1_795_000_000n;
  const signed = await witness.sign(cosignedMessage(time, TEXT));
  const cosigned = note + signatureLine(witness.vkey, writeCosignature(time, signed));
  const keys = [own.vkey, witness.vkey];
  const verified = verifyNote(parseNote(bytes(cosigned)), keys);
  assert.deepEqual(verified, [{ key: own.vkey }, { key: witness.vkey, time }]);
  const later = note + signatureLine(witness.vkey, writeCosignature(time + 1n, signed));
  refuses('signature-refused', () => verifyNote(parseNote(bytes(later)), keys));
  const huge = note + signatureLine(witness.vkey, writeCosignature(2n ** 63n, signed));
  refuses('signature-refused', () => verifyNote(parseNote(bytes(huge)), keys));
});

const MALFORMED: readonly (readonly [string, string | Buffer])[] = [
  ['nothing', ''],
  ['no newline at the end', note.slice(0, -1)],
  ['no empty line', note.replace('\n\n', '\n')],
  ['no signature', `${TEXT}\n`],
  ['lines that end with CR LF', note.replaceAll('\n', '\r\n')],
  ['a control character', `a\u0007${note}`],
  ['a tab', `a\t${note}`],
  ['a hyphen for the em dash', note.replace('\u2014', '-')],
  ['an en dash for the em dash', note.replace('\u2014', '\u2013')],
  ['two spaces', note.replace('\u2014 ', '\u2014  ')],
  ['a plus in the name', `${note}\u2014 a+b AAAAAAA=\n`],
  ['a space of another script in the name', `${note}\u2014 a\u00a0b AAAAAAA=\n`],
  ['a third word', `${note}\u2014 a AAAAAAA= b\n`],
  ['a signature of four bytes', `${note}\u2014 a AAAAAA==\n`],
  ['base64 without padding', note.replace(/=*\n$/, '\n')],
  ['base64 with other bits at its end', `${note}\u2014 a AAAAAAB=\n`],
  ['base64 of the other alphabet', `${note}\u2014 a AAAA-__A\n`],
  ['bytes that are no UTF-8', Buffer.concat([Buffer.of(0xff), bytes(note)])],
  ['a byte too many', Buffer.concat([Buffer.alloc(131_072, 0x61), bytes(note)])],
  ['more signatures than are read', note + line.repeat(SIGNATURES_MAX)],
];
for (const [what, text] of MALFORMED) {
  test(`a note with ${what} is refused`, () => {
    refuses('note-malformed', () => parseNote(Buffer.from(text)));
  });
}

test(`a note with ${SIGNATURES_MAX} signatures is read`, () => {
  const many = parseNote(bytes(note + line.repeat(SIGNATURES_MAX - 1)));
  assert.equal(verifyNote(many, [own.vkey]).length, SIGNATURES_MAX);
});

test('no bytes make a note crash its reader', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(note.length), (noise, at) => {
      const parts = [bytes(note).subarray(0, at), noise, bytes(note).subarray(at)];
      for (const tried of [noise, Buffer.concat(parts)]) {
        try {
          verifyNote(parseNote(tried), [own.vkey]);
        } catch (error) {
          assert.ok(error instanceof ProofFault, String(error));
        }
      }
    }),
  );
});

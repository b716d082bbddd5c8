// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatCheckpoint } from './checkpoint.ts';
import { leafHash } from './hash.ts';
import { noteSigner, signNote } from './note.ts';
import { inclusionPath } from './proof.ts';
import { ProofFault, type ProofFaultCode } from './proof-fault.ts';
import { naiveRoot, someLeaves, tilesInMemory } from './testing/naive.ts';
import { rangeRoots } from './tile-reader.ts';
import { formatSpicy, formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts';
import { EMPTY_TREE, grow } from './tree.ts';
import { KEY_TYPES, rawPublicKey, vkey } from './vkey.ts';

const ORIGIN = 'ledger.example/1';
const LEAVES = someLeaves(300);
const INDEX = 257;
const { privateKey } = generateKeyPairSync('ed25519');
const own = noteSigner(vkey(ORIGIN, KEY_TYPES.note, rawPublicKey(privateKey)), privateKey);

const { tree, tiles } = grow(EMPTY_TREE, LEAVES.map(leafHash));
const range = rangeRoots(tilesInMemory(tiles, tree), LEAVES.length);
const head = { origin: ORIGIN, size: BigInt(LEAVES.length), root: naiveRoot(LEAVES) };
const note = await signNote(formatCheckpoint(head), [own]);
const path = await inclusionPath(range, INDEX, LEAVES.length);
const PROOF = { index: BigInt(INDEX), path, note };
const ENTRY = LEAVES[INDEX] as Buffer;
const TEXT = formatTlogProof(PROOF);

function refuses(code: ProofFaultCode, work: () => unknown): void {
  assert.throws(work, (error) => error instanceof ProofFault && error.code === code);
}

test('a proof is read as it was written, with its first line and without', () => {
  assert.deepEqual(parseTlogProof(Buffer.from(TEXT)), PROOF);
  assert.deepEqual(parseTlogProof(Buffer.from(formatSpicy(PROOF))), PROOF);
  const extra = TEXT.replace('\nindex', '\nextra AAAA\nindex');
  assert.deepEqual(parseTlogProof(Buffer.from(extra)), PROOF);
});

test('a proof is about one entry at one index under one checkpoint', () => {
  const opened = verifyTlogProof(PROOF, ENTRY, [own.vkey]);
  assert.equal(opened.size, 300n);
  const other = LEAVES[INDEX + 1] as Buffer;
  refuses('proof-refused', () => verifyTlogProof(PROOF, other, [own.vkey]));
  refuses('proof-refused', () => verifyTlogProof({ ...PROOF, index: 258n }, ENTRY, [own.vkey]));
  const grown = note.replace('\n300\n', '\n301\n');
  refuses('signature-refused', () => verifyTlogProof({ ...PROOF, note: grown }, ENTRY, [own.vkey]));
  refuses('signature-missing', () => verifyTlogProof(PROOF, ENTRY, []));
});

const [first = ''] = path.map((one) => one.toString('base64'));
const MALFORMED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['another first line', TEXT.replace('@v1', '@v2')],
  ['no index', TEXT.replace('index 257\n', '')],
  ['an index with a leading zero', TEXT.replace('257', '0257')],
  ['an index below zero', TEXT.replace('257', '-1')],
  ['an index of more than 63 bits', TEXT.replace('257', '9'.repeat(19))],
  ['two extra lines', TEXT.replace('\nindex', '\nextra AAAA\nextra AAAA\nindex')],
  ['an extra line that is no base64', TEXT.replace('\nindex', '\nextra ?\nindex')],
  ['a hash that is none', TEXT.replace(first, first.slice(4))],
  ['a hash of other letters', TEXT.replace(first, `_${first.slice(1)}`)],
  ['lines that end with CR LF', TEXT.replaceAll('\n', '\r\n')],
  ['more hashes than any tree needs', TEXT.replace(first, `${first}\n`.repeat(65))],
  ['a megabyte', TEXT + 'a'.repeat(1_000_000)],
];
for (const [what, text] of MALFORMED) {
  test(`a proof with ${what} is refused`, () => {
    refuses('proof-malformed', () => parseTlogProof(Buffer.from(text)));
  });
}

test('no change of a byte of a proof goes unnoticed, and none crashes its reader', () => {
  const isSame = (changed: Buffer) => {
    const { index, path: hashes, note: text } = parseTlogProof(changed);
    return index === PROOF.index && hashes.length === path.length && text === note;
  };
  fc.assert(
    fc.property(fc.nat(TEXT.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const changed = Buffer.from(TEXT);
      changed[at] = (changed[at] ?? 0) ^ bits;
      try {
        verifyTlogProof(parseTlogProof(changed), ENTRY, [own.vkey]);
      } catch (error) {
        assert.ok(error instanceof ProofFault, String(error));
        return;
      }
      assert.fail(`byte ${at} does not matter, though ${isSame(changed)}`);
    }),
    { numRuns: 300 },
  );
});

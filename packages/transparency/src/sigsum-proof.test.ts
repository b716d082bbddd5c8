// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { formatCheckpoint } from './checkpoint.ts';
import { cosignedMessage } from './cosignature.ts';
import { leafHash } from './hash.ts';
import { inclusionPath } from './proof.ts';
import { ProofFault, type ProofFaultCode } from './proof-fault.ts';
import {
  parseSigsumLeaf,
  SIGSUM_LEAF_BYTES,
  sigsumChecksum,
  sigsumHash,
  sigsumLeafBytes,
  sigsumLeafMessage,
  sigsumVkey,
  sshKeyOf,
  sshPublicKey,
} from './sigsum.ts';
import { formatSigsumProof, parseSigsumProof, verifySigsumProof } from './sigsum-proof.ts';
import { naiveRoot, someLeaves, tilesInMemory } from './testing/naive.ts';
import { rangeRoots } from './tile-reader.ts';
import { EMPTY_TREE, grow } from './tree.ts';
import { rawPublicKey } from './vkey.ts';

const SEAL = Buffer.from('{"the":"seal"}');
const TIME = 1_795_000_000n;

function pair() {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = rawPublicKey(privateKey);
  return { key, signs: (message: Uint8Array) => sign(null, message, privateKey) };
}

const [submitter, log, witness] = [pair(), pair(), pair()];
const checksum = sigsumChecksum(SEAL);
const leaf = {
  checksum,
  signature: submitter.signs(sigsumLeafMessage(checksum)),
  keyHash: sigsumHash(submitter.key),
};

async function proofAt(index: number, size: number) {
  const leaves = someLeaves(size);
  leaves[index] = sigsumLeafBytes(leaf);
  const { tree, tiles } = grow(EMPTY_TREE, leaves.map(leafHash));
  const head = { size: BigInt(size), root: naiveRoot(leaves) };
  const text = formatCheckpoint({ origin: sigsumVkey(log.key).name, ...head });
  const cosigned = witness.signs(cosignedMessage(TIME, text));
  return {
    ...head,
    logKeyHash: sigsumHash(log.key),
    leaf: { keyHash: leaf.keyHash, signature: leaf.signature },
    signature: log.signs(Buffer.from(text)),
    cosignatures: [{ keyHash: sigsumHash(witness.key), time: TIME, signature: cosigned }],
    index: BigInt(index),
    path: await inclusionPath(rangeRoots(tilesInMemory(tiles, tree), size), index, size),
  };
}

const PROOF = await proofAt(5, 12);
const TEXT = formatSigsumProof(PROOF);
const TRUST = { submitter: submitter.key, log: log.key, witnesses: [witness.key] };

function refuses(code: ProofFaultCode, work: () => unknown): void {
  assert.throws(work, (error) => error instanceof ProofFault && error.code === code);
}

test('a leaf is read as it was written, and has one length', () => {
  const bytes = sigsumLeafBytes(leaf);
  assert.equal(bytes.length, SIGSUM_LEAF_BYTES);
  assert.deepEqual(parseSigsumLeaf(bytes), leaf);
  refuses('proof-malformed', () => parseSigsumLeaf(bytes.subarray(1)));
});

test('a proof is read as it was written, also one of a tree with a single leaf', async () => {
  assert.deepEqual(parseSigsumProof(TEXT), PROOF);
  const alone = await proofAt(0, 1);
  assert.deepEqual(parseSigsumProof(formatSigsumProof(alone)), alone);
  assert.equal(verifySigsumProof(alone, SEAL, TRUST).length, 1);
});

test('a proof is about one file, one submitter, one log, and names the known witnesses', () => {
  assert.deepEqual(verifySigsumProof(PROOF, SEAL, TRUST), PROOF.cosignatures);
  assert.deepEqual(verifySigsumProof(PROOF, SEAL, { ...TRUST, witnesses: [] }), []);
  const other = pair().key;
  const refused = 'signature-refused';
  refuses(refused, () => verifySigsumProof(PROOF, Buffer.from('{}'), TRUST));
  refuses(refused, () => verifySigsumProof(PROOF, SEAL, { ...TRUST, submitter: other }));
  refuses(refused, () => verifySigsumProof(PROOF, SEAL, { ...TRUST, log: other }));
  const [cosignature] = PROOF.cosignatures;
  assert.ok(cosignature);
  const later = { ...PROOF, cosignatures: [{ ...cosignature, time: TIME + 1n }] };
  refuses(refused, () => verifySigsumProof(later, SEAL, TRUST));
  refuses(refused, () => verifySigsumProof({ ...PROOF, size: 13n }, SEAL, TRUST));
  refuses('proof-refused', () => verifySigsumProof({ ...PROOF, index: 4n }, SEAL, TRUST));
  const short = { ...PROOF, path: PROOF.path.slice(1) };
  refuses('proof-refused', () => verifySigsumProof(short, SEAL, TRUST));
});

const MALFORMED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['another version', TEXT.replace('version=2', 'version=3')],
  ['capitals', TEXT.replace(/root_hash=.*/, (line) => line.toUpperCase())],
  ['no log', TEXT.replace(/log=.*\n/, '')],
  ['a short signature', TEXT.replace(/(signature=)../, '$1')],
  ['a word too many in its leaf', TEXT.replace(/(leaf=.*)/, '$1 00')],
  ['a time with a leading zero', TEXT.replace(` ${TIME} `, ` 0${TIME} `)],
  ['a line of another part', TEXT.replace('\nsize=', '\nleaf_index=5\nsize=')],
  ['an unknown line', TEXT.replace('\n\nleaf_index', '\nmore=1\n\nleaf_index')],
  ['a fourth part', `${TEXT}\nleaf_index=5\n`],
  ['more hashes than any tree needs', TEXT + `node_hash=${'00'.repeat(32)}\n`.repeat(65)],
  ['a megabyte', TEXT + 'a'.repeat(1_000_000)],
];
for (const [what, text] of MALFORMED) {
  test(`a proof of sigsum with ${what} is refused`, () => {
    refuses('proof-malformed', () => parseSigsumProof(text));
  });
}

test('a public key is written as OpenSSH writes it', () => {
  const key = Buffer.from(
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    'hex',
  );
  const line = sshPublicKey(key, 'custody');
  assert.equal(
    line,
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea custody\n',
  );
  assert.deepEqual(sshKeyOf(line), key);
  for (const other of ['', 'ssh-rsa AAAA', line.replace('AAAAC3', 'AAAAC4'), line.slice(8)]) {
    refuses('key-malformed', () => sshKeyOf(other));
  }
});

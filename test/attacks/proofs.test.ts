// SPDX-License-Identifier: Apache-2.0
// A bag is forged: its notes, its proofs, its chain. Who finds it: an auditor with keys and policy.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { leafHash, nodeHash } from '@impound/transparency/hash.ts';
import { parseNote, signatureLine } from '@impound/transparency/note.ts';
import { formatTlogProof, parseTlogProof } from '@impound/transparency/tlog-proof.ts';
import { formatVkey, KEY_TYPES, rawPublicKey, vkey } from '@impound/transparency/vkey.ts';
import { EXIT } from '../../cli/src/exit-code.ts';
import { SPICY } from '../end-to-end/bare-machine.ts';
import { type Change, chainOf, forgedBag, noteFiles, rechained, toAll, withChain } from './bag.ts';
import { impound, program } from './detectors.ts';
import { ORIGIN, type Recorded, recordedLog, type WitnessHome } from './stage.ts';

const ENTRY = 'custody/entries/000003.json';
let on: Recorded;

before(async () => {
  on = await recordedLog();
});

const verify = (bag: string, trust: readonly string[] = on.trust) =>
  impound(['verify', bag, ...trust]);

/** The same bag, verified by somebody else's program; undefined where the machine has none. */
async function spicy(bag: string): Promise<number | undefined> {
  if (SPICY.skip !== false) return undefined;
  const args = ['-verify', formatVkey(on.log), join(bag, ENTRY)];
  return (await program('spicy-litetlog', args)).code;
}

/** What a witness answers to the note of a bag, as the log's first checkpoint or its newest. */
async function witnessed(note: string): Promise<number> {
  await using scope = new AsyncDisposableStack();
  const url = await (on.witnesses[0] as WitnessHome).serve(scope);
  const old = (await readFile(on.newest, 'utf8')).split('\n')[1];
  const body = `old ${old}\n\n${note}`;
  return (await fetch(`${url}/add-checkpoint`, { method: 'POST', body })).status;
}

test('a bag that nobody has touched passes the verifier, a foreign one, and the witness', async () => {
  const done = await verify(await forgedBag(on.bag, 'same', {}));
  assert.deepEqual([done.code, /everything fits/.test(done.out)], [EXIT.ok, true], done.out);
  assert.ok([0, undefined].includes(await spicy(on.bag)));
  assert.equal(await witnessed(await readFile(join(on.bag, 'custody/checkpoint'), 'utf8')), 200);
});

/** The log's own line below its checkpoint, made by another key. */
async function signedBy(how: 'own-id' | 'stolen-id') {
  const { privateKey } = generateKeyPairSync('ed25519');
  const own = vkey(ORIGIN, KEY_TYPES.note, rawPublicKey(privateKey));
  const { id } = how === 'own-id' ? own : on.log;
  const change: Change = (text) => {
    const whole = Buffer.from(text, 'latin1').toString('utf8');
    const note = whole.slice(whole.indexOf(`${ORIGIN}\n`));
    const signed = sign(null, Buffer.from(parseNote(Buffer.from(note)).text), privateKey);
    const line = signatureLine({ name: ORIGIN, id }, signed);
    return Buffer.from(whole.replace(new RegExp(`\u2014 ${ORIGIN} .*\n`), line)).toString('latin1');
  };
  return { own, change };
}

test('12: a checkpoint is signed by an unknown key under the name of the log', async () => {
  const { own, change } = await signedBy('own-id');
  const bag = await forgedBag(on.bag, 'stranger', {
    ...toAll(await noteFiles(on.bag), change),
    'custody/log.vkey': () => `${formatVkey(own)}\n`,
  });
  const done = await verify(bag);
  assert.equal(done.code, EXIT.signature, done.out);
  assert.match(done.out, /signature-missing: no known key of its log has signed the checkpoint/);
  const [, , ...byPolicy] = on.trust;
  const named = await verify(bag, byPolicy);
  assert.equal(named.code, EXIT.signature, named.out);
  assert.match(named.out, /key-differs: .* \(custody\/log\.vkey\)/);
  assert.ok([1, undefined].includes(await spicy(bag)));
  assert.equal(await witnessed(await readFile(join(bag, 'custody/checkpoint'), 'utf8')), 403);
});

test("13: another key has the id of the log's own key", async () => {
  const { change } = await signedBy('stolen-id');
  const bag = await forgedBag(on.bag, 'stolen', toAll(await noteFiles(on.bag), change));
  const done = await verify(bag);
  assert.equal(done.code, EXIT.signature, done.out);
  const id = on.log.id.toString('hex');
  const words = `signature-refused: the signature of ${ORIGIN} (key ${id}) is not over this text`;
  assert.ok(done.out.includes(words), done.out);
  assert.ok([1, undefined].includes(await spicy(bag)));
  assert.equal(await witnessed(await readFile(join(bag, 'custody/checkpoint'), 'utf8')), 403);
});

const FOREIGN = `\xe2\x80\x94 other.example/1 ${Buffer.alloc(68, 7).toString('base64')}\n`;
const MALFORMED: readonly (readonly [what: string, change: Change, words: RegExp])[] = [
  ['17 signature lines', (text) => text + FOREIGN.repeat(14), /more than 16 signatures/],
  ['CRLF', (text) => text.replaceAll('\n', '\r\n'), /a control character/],
  ['no last newline', (text) => text.slice(0, -1), /does not end with a newline/],
  ['a size with a zero before it', (text) => text.replace(/\n(\d)/, '\n0$1'), /refused|no size/],
  [
    'a size beyond 2^53',
    (text) => text.replace(/\n\d+\n/, '\n9007199254740993\n'),
    /signature-refused: the signature of \S+ .* is not over this text/,
  ],
  ['bad base64', (text) => text.replace(/=\n\n/, '*\n\n'), /no root hash|refused/],
  ['a control character', (text) => text.replace('\n', '\x07\n'), /a control character/],
];

test('14: a note has lines that no reader may take, and one that every reader must', async () => {
  const more = toAll(await noteFiles(on.bag), (text) => text + FOREIGN);
  const good = await verify(await forgedBag(on.bag, 'foreign', more));
  assert.equal(good.code, EXIT.ok, good.out);
  for (const [what, change, words] of MALFORMED) {
    const bag = await forgedBag(on.bag, 'malformed', { 'custody/checkpoint': change });
    const done = await verify(bag);
    assert.equal(done.code, EXIT.signature, `${what}: ${done.out}`);
    assert.match(done.out, words, what);
    const note = await readFile(join(bag, 'custody/checkpoint'), 'utf8');
    assert.ok([400, 403].includes(await witnessed(note)), what);
    const known = await impound(['ledger', 'fsck', '--mirror', on.mirror, '--known', bagNote(bag)]);
    assert.notEqual(known.code, EXIT.ok, what);
  }
});

function bagNote(bag: string): string {
  return join(bag, 'custody/checkpoint');
}

type Proof = ReturnType<typeof parseTlogProof>;

/** A bag in which the proof of one entry is another one, in both its forms. */
async function withProof(name: string, change: (proof: Proof) => Proof): Promise<string> {
  const text = await readFile(join(on.bag, `${ENTRY}.tlog-proof`));
  const made = Buffer.from(formatTlogProof(change(parseTlogProof(text)))).toString('latin1');
  return await forgedBag(on.bag, name, {
    [`${ENTRY}.tlog-proof`]: () => made,
    [`${ENTRY}.spicy`]: () => made.slice(made.indexOf('\n') + 1),
  });
}

const OTHER = Buffer.alloc(32, 9);
const PROOFS: readonly (readonly [what: string, change: (proof: Proof) => Proof])[] = [
  ['another index', (proof) => ({ ...proof, index: proof.index + 1n })],
  ['an index beyond the tree', (proof) => ({ ...proof, index: proof.index + 1_000n })],
  ['a path that is cut off', (proof) => ({ ...proof, path: proof.path.slice(0, -1) })],
  ['a path that is longer', (proof) => ({ ...proof, path: [...proof.path, OTHER] })],
  ['a path that begins later', (proof) => ({ ...proof, path: proof.path.slice(1) })],
  ['no path', (proof) => ({ ...proof, path: [] })],
];

test('24: a proof has another index, a shorter or longer path, or the root of another size', async () => {
  for (const [what, change] of PROOFS) {
    const bag = await withProof('proof', change);
    const done = await verify(bag);
    assert.equal(done.code, EXIT.proof, `${what}: ${done.out}`);
    assert.match(
      done.out,
      /proof-refused: .*custody\/entries\/000003\.json\.tlog-proof, index \d+/,
    );
    assert.ok([1, undefined].includes(await spicy(bag)), what);
  }
  const early = await readFile(on.early, 'utf8');
  const bag = await withProof('size', (proof) => ({ ...proof, note: early }));
  const done = await verify(bag);
  assert.equal(done.code, EXIT.proof, done.out);
  assert.match(done.out, /proof-differs: it is a proof under another checkpoint than/);
});

test('25: an inner node of the tree is offered as an entry', async () => {
  const texts = await chainOf(on.bag);
  const bag = await withProof('inner', (proof) => ({
    ...proof,
    index: proof.index / 2n,
    path: proof.path.slice(1),
  }));
  const { index, path } = parseTlogProof(await readFile(join(on.bag, `${ENTRY}.tlog-proof`)));
  const leaf = leafHash(Buffer.from(texts[2] ?? ''));
  const sibling = path[0] ?? OTHER;
  const [left, right] = index % 2n === 0n ? [leaf, sibling] : [sibling, leaf];
  const inner = Buffer.concat([left, right]);
  // The attack is right about the tree: these 64 bytes are what the node above is made of.
  assert.deepEqual(nodeHash(left, right).length, 32);
  await writeFile(join(bag, ENTRY), inner);
  const lines = texts.map((text) => Buffer.from(`${text}\n`));
  lines[2] = Buffer.concat([inner, Buffer.from('\n')]);
  await writeFile(join(bag, 'custody/chain.jsonl'), Buffer.concat(lines));
  const forged = await forgedBag(bag, 'listed', {});
  const done = await verify(forged);
  assert.equal(done.code, EXIT.proof, done.out);
  assert.match(
    done.out,
    /proof-refused: .*\(custody\/entries\/000003\.json\.tlog-proof, index \d+/,
  );
  assert.match(done.out, /chain-line-invalid: no JSON \(chain\.jsonl, line 3\)/);
  assert.ok([1, undefined].includes(await spicy(forged)));
});

test('33: a chain is whole and sealed in itself, and is not the one in the tree', async () => {
  const texts = await chainOf(on.bag);
  assert.deepEqual(rechained(texts), texts);
  const [first = '', ...others] = texts;
  const lie = rechained([first.replace('"reason":"', '"reason":"no '), ...others]);
  const done = await verify(await withChain(on.bag, 'linear', lie));
  // Nobody but the submitter can sign another seal, so this is what it ends with.
  assert.equal(done.code, EXIT.signature, done.out);
  assert.doesNotMatch(done.out, /chain-|seal-mismatch/);
  assert.equal(done.out.match(/proof-refused: .* leads to root/g)?.length, texts.length);
  const files = [...(await noteFiles(on.bag)), 'custody/log.vkey', 'custody/seal/seal.proof'];
  const bare = Object.fromEntries(files.map((file) => [file, undefined]));
  const alone = await verify(await forgedBag(on.bag, 'alone', bare));
  assert.equal(alone.code, EXIT.proof, alone.out);
  assert.match(alone.out, /proof-missing: .* \(custody\/checkpoint\)/);
});

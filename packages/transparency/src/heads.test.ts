// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sha256 } from './hash.ts';
import {
  formatHeadProof,
  type Head,
  headHash,
  headsTileRoot,
  openHeadsTree,
  parseHeadProof,
  verifyHead,
} from './heads.ts';
import { inclusionPath } from './proof.ts';
import { ProofFault } from './proof-fault.ts';
import { naiveRoot } from './testing/naive.ts';

const ACQ = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const WIDTH = 256;

/** A log as who wrote: each leaf is an entry of the chain with this number, or of none. */
type Written = readonly (number | undefined)[];

function acqOf(chain: number): string {
  return ACQ.slice(0, -4) + String(chain).padStart(4, '0');
}

/** The heads below a size, by the definition: nothing of it is kept from before. */
function headsAt(log: Written, size: number): Map<number, Head> {
  const begins = new Map<number, number>();
  const heads = new Map<number, Head>();
  for (const [at, chain] of log.slice(0, size).entries()) {
    if (chain === undefined) continue;
    const first = begins.get(chain) ?? at;
    begins.set(chain, first);
    const acqSeq = Number(heads.get(first)?.acqSeq ?? 0) + 1;
    heads.set(first, { acq: acqOf(chain), acqSeq, last: sha256(Buffer.from(`${at}`)) });
  }
  return heads;
}

function leafBytes({ acq, acqSeq, last }: Head): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(acqSeq));
  return Buffer.concat([Buffer.from(acq.replaceAll('-', ''), 'hex'), number, last]);
}

/** A tree that is told what has changed from one size to the next, as a ledger tells it. */
function growing(log: Written) {
  const tree = openHeadsTree();
  const within = (n: number, size: number) => {
    const inTile = [...headsAt(log, size)].filter(([at]) => Math.floor(at / WIDTH) === n);
    return new Map(inTile.map(([at, head]) => [at, headHash(head)]));
  };
  const firstOf = (chain: number | undefined) => log.indexOf(chain);
  return {
    move: (to: number) => {
      const [low, high] = [Math.min(tree.size(), to), Math.max(tree.size(), to)];
      const moved = log.slice(low, high).filter((chain) => chain !== undefined);
      const touched = new Set([low, ...moved.map(firstOf)].map((at) => Math.floor(at / WIDTH)));
      const root = (n: number) => headsTileRoot(n, within(n, to));
      tree.become(to, new Map([...touched].map((n) => [n, root(n)])));
    },
    ranges: () => tree.ranges(async (n) => within(n, tree.size())),
  };
}

const chains = fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined });

test('whatever sizes a tree of heads has been, its root is that of the definition', async () => {
  const logs = fc.array(chains, { minLength: 1, maxLength: 1_500, size: 'max' });
  const sizes = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
    minLength: 1,
    maxLength: 6,
  });
  const holds = fc.asyncProperty(logs, sizes, async (log, parts) => {
    const tree = growing(log);
    for (const part of parts) {
      const size = Math.max(1, Math.round(part * log.length));
      tree.move(size);
      const heads = headsAt(log, size);
      const bytes = Array.from({ length: size }, (_, at) => {
        const head = heads.get(at);
        return head === undefined ? Buffer.alloc(0) : leafBytes(head);
      });
      assert.deepEqual(await tree.ranges()(0, size), naiveRoot(bytes));
    }
  });
  await fc.assert(holds, { numRuns: 40 });
});

test('three levels of tiles, and back: only what changed is made anew', async () => {
  const size = WIDTH * WIDTH + WIDTH + 3;
  const log: Written = Array.from({ length: size }, (_, at) => (at % 7_000 === 0 ? at : undefined));
  const [grown, fresh] = [growing(log), growing(log)];
  for (const to of [WIDTH - 1, WIDTH * WIDTH - 1, size, WIDTH * WIDTH + 1]) grown.move(to);
  fresh.move(WIDTH * WIDTH + 1);
  const whole = (tree: ReturnType<typeof growing>) => tree.ranges()(0, WIDTH * WIDTH + 1);
  assert.deepEqual(await whole(grown), await whole(fresh));
});

const LOG: Written = [undefined, 1, 2, 1, undefined, 2, 1];
const SIZE = 6;

async function specimen() {
  const tree = growing(LOG);
  tree.move(SIZE);
  const ranges = tree.ranges();
  const head = headsAt(LOG, SIZE).get(1) as Head;
  const path = await inclusionPath(ranges, 1, SIZE);
  const proof = { index: 1n, acqSeq: BigInt(head.acqSeq), last: head.last, path };
  return { proof, of: { acq: acqOf(1), size: BigInt(SIZE), root: await ranges(0, SIZE) } };
}

test('a proof of a head is read as it was written, and holds for this head alone', async () => {
  const { proof, of } = await specimen();
  assert.deepEqual(parseHeadProof(Buffer.from(formatHeadProof(proof))), proof);
  verifyHead(proof, of);
  const others = [
    { ...proof, acqSeq: 1n },
    { ...proof, index: 2n },
    { ...proof, last: sha256(Buffer.from('another')) },
    { ...proof, path: proof.path.slice(1) },
  ];
  for (const other of others) assert.throws(() => verifyHead(other, of), ProofFault);
  assert.throws(() => verifyHead(proof, { ...of, acq: acqOf(2) }), ProofFault);
});

test('what is no proof of a head is refused', async () => {
  const text = formatHeadProof((await specimen()).proof);
  const hash = sha256(Buffer.alloc(1)).toString('base64');
  const others = [
    '',
    text.slice(0, -1),
    text.replace('@v1', '@v2'),
    text.replace('index 1', 'index 01'),
    text.replace(/acqSeq \d+/, 'acqSeq 0'),
    text.replace('acqSeq', 'seq'),
    `${text}x\n`,
    `${text}${`${hash}\n`.repeat(65)}`,
    'impound/head-proof@v1\nindex 1\nacqSeq 1\n',
  ];
  for (const other of others) {
    const refused = (error: unknown) =>
      error instanceof ProofFault && error.code === 'proof-malformed';
    assert.throws(() => parseHeadProof(Buffer.from(other)), refused, other);
  }
});

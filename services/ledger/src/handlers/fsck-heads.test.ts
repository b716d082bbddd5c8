// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@impound/contracts/entry.ts';
import { HeadsRootedV1 } from '@impound/contracts/heads/rooted.v1.ts';
import { rootOfHashes, sha256 } from '@impound/transparency/hash.ts';
import { headHash, NO_HEAD } from '@impound/transparency/heads.ts';
import { openFindings } from './fsck-findings.ts';
import { checkingHeads, ROOT_BEHIND_MAX } from './fsck-heads.ts';

const ACQ = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const LOG = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d00';

function entry(acq: string, acqSeq: number, data?: HeadsRootedV1): Entry {
  const type = data === undefined ? 'target.resolved.v1' : HeadsRootedV1.type;
  return { acq, acqSeq, event: { id: `event ${acq} ${acqSeq}`, type, data } } as unknown as Entry;
}

const hashAt = (idx: number) => sha256(Buffer.from(`${idx}`));

/** The root below 3: the log itself begins at 0, a chain at 1 with a second entry at 2. */
const ROOT = rootOfHashes([
  headHash({ acq: LOG, acqSeq: 1, last: hashAt(0) }),
  headHash({ acq: ACQ, acqSeq: 2, last: hashAt(2) }),
  NO_HEAD,
]).toString('hex');

/** A log of three entries, two more, and then what it says of the heads below a size. */
async function looked(says: HeadsRootedV1, idx = 5) {
  const findings = openFindings();
  const heads = checkingHeads(findings);
  const leaves = [entry(LOG, 1), entry(ACQ, 1), entry(ACQ, 2), entry(ACQ, 3), entry(ACQ, 4)];
  for (const [at, one] of leaves.entries()) heads.add(one, { idx: at, hash: hashAt(at) });
  await heads.settle();
  heads.add(entry(LOG, 2, says), { idx, hash: hashAt(idx) });
  await heads.settle();
  return { found: findings.all().map(({ class: kind, what }) => `${kind}: ${what}`), heads };
}

test('a root over heads is that of the leaves below its size, whatever came in between', async () => {
  const { found, heads } = await looked({ size: 3, root: ROOT as never });
  assert.deepEqual([found, heads.rooted()], [[], 1]);
});

test('a root that leaves an entry out, or is of no size that it can be of, is found', async () => {
  const [other = ''] = (await looked({ size: 4, root: ROOT as never })).found;
  assert.match(other, /^tree: the root over 4 heads is [0-9a-f]{64}, not /);
  assert.ok(other.endsWith(ROOT));
  const [ahead] = (await looked({ size: 6, root: ROOT as never })).found;
  assert.equal(ahead, 'tree: it is a root over 6 heads, and stands at 5');
});

test('a root that counts signers counts those below its size', async () => {
  const findings = openFindings();
  const heads = checkingHeads(findings);
  const signer = (acqSeq: number) => {
    const { event, ...at } = entry(LOG, acqSeq);
    return { ...at, event: { ...event, type: 'signer.retired.v1' } } as Entry;
  };
  for (const idx of [0, 1]) heads.add(signer(idx + 1), { idx, hash: hashAt(idx) });
  const root = rootOfHashes([headHash({ acq: LOG, acqSeq: 1, last: hashAt(0) })]).toString('hex');
  for (const [at, signers] of [1, 2].entries()) {
    const says = { size: 1, root: root as never, signers };
    heads.add(entry(LOG, 3 + at, says), { idx: 2 + at, hash: hashAt(2 + at) });
  }
  await heads.settle();
  const found = findings.all().map(({ class: kind, what }) => `${kind}: ${what}`);
  assert.deepEqual(found, ['tree: 1 of the first 1 leaves name signers, not 2']);
});

test('what is remembered for a root that may still come is bounded', async () => {
  const far = ROOT_BEHIND_MAX + 4;
  const findings = openFindings();
  const heads = checkingHeads(findings);
  const leaves = [entry(LOG, 1), entry(ACQ, 1), entry(ACQ, 2)];
  for (const [at, one] of leaves.entries()) heads.add(one, { idx: at, hash: hashAt(at) });
  heads.add(entry(LOG, 2), { idx: far, hash: hashAt(far) });
  await heads.settle();
  heads.add(entry(LOG, 3, { size: 3, root: ROOT as never }), {
    idx: far + 1,
    hash: hashAt(far + 1),
  });
  await heads.settle();
  assert.match(findings.all()[0]?.what ?? '', /too far behind them$/);
});

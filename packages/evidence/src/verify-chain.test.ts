// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { ACQUISITION, growingChain, STORY, sealedChain } from './testing/chain-specimen.ts';
import { exportedObjects, leafHash, verifyChain } from './verify-chain.ts';

const OTHER = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d02';

async function verified(lines: readonly string[]) {
  return await verifyChain(
    (async function* () {
      yield* lines;
    })(),
  );
}

async function codesOf(lines: readonly string[]): Promise<readonly string[]> {
  return [...new Set((await verified(lines)).findings.map(({ code }) => code))];
}

test('a sealed chain fits, and its head is the leaf hash of its last line', async () => {
  const { lines, head } = sealedChain();
  const report = await verified(lines);
  assert.deepEqual(report.findings, []);
  assert.equal(report.ok, true);
  assert.equal(report.entries, lines.length);
  assert.equal(report.head, head());
  assert.equal(report.state.acquisitionId, ACQUISITION);
});

test('a leaf hash is that of RFC 6962: SHA-256 of a zero byte and the bytes', () => {
  const empty = '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d';
  assert.equal(leafHash(new Uint8Array()), empty);
});

const { lines: GOOD } = sealedChain();
for (const [index, line] of GOOD.entries()) {
  const without = (at: number) => GOOD.filter((_, other) => other !== at);
  const replaced = (text: string) => GOOD.toSpliced(index, 1, text);

  test(`entry ${index + 1}: no byte can be another one without a finding`, async () => {
    // Every 37th byte: enough to hit keys, values, digests and the salt of each entry.
    for (let at = index % 37; at < line.length; at += 37) {
      const other = line[at] === '1' ? '2' : '1';
      const tampered = line.slice(0, at) + other + line.slice(at + 1);
      const report = await verified(replaced(tampered));
      const last = index === GOOD.length - 1;
      // Nothing follows the last entry that would name it: its hash is the head that is told.
      const seen = report.findings.length > 0 || (last && report.head !== leafHash(bytes(line)));
      assert.ok(seen, `byte ${at} of entry ${index + 1}: ${tampered}`);
    }
  });

  test(`entry ${index + 1}: it cannot be left out`, async () => {
    const last = index === GOOD.length - 1;
    assert.deepEqual((await codesOf(without(index))).length > 0, !last);
  });

  test(`entry ${index + 1}: it cannot be there twice`, async () => {
    assert.ok((await codesOf(GOOD.toSpliced(index, 0, line))).includes('chain-broken'));
  });

  test(`entry ${index + 1}: it cannot be of another form with the same meaning`, async () => {
    const spaced = replaced(line.replace('{"acq"', '{ "acq"'));
    assert.ok((await codesOf(spaced)).includes('chain-not-canonical'));
  });
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

for (let at = 1; at < GOOD.length; at++) {
  test(`entries ${at} and ${at + 1} cannot change places`, async () => {
    const [one = '', two = ''] = GOOD.slice(at - 1, at + 1);
    assert.ok((await codesOf(GOOD.toSpliced(at - 1, 2, two, one))).includes('chain-broken'));
  });
}

for (let kept = 0; kept < GOOD.length - 1; kept++) {
  test(`a chain that is cut after ${kept} entries can still grow, and is told so`, async () => {
    assert.deepEqual(await codesOf(GOOD.slice(0, kept)), ['chain-unsealed']);
  });
}

test('a chain that was made anew without one entry does not fit its seal', async () => {
  const it = growingChain();
  for (const contract of STORY.toSpliced(2, 1)) it.add(contract);
  it.add(AcquisitionSealedV1, { data: { ...AcquisitionSealedV1.example, entries: 7 } });
  assert.deepEqual(await codesOf(it.lines), ['seal-mismatch']);
});

test('an entry of another acquisition does not belong here', async () => {
  const it = growingChain();
  it.add(AcquisitionRequestedV1);
  it.add(TargetResolvedV1, { acq: OTHER });
  assert.deepEqual(await codesOf(it.lines), ['chain-mixed', 'chain-unsealed']);
});

test('an event of a type that nobody knows yet is passed over', async () => {
  const it = growingChain();
  it.add(AcquisitionRequestedV1);
  it.add(AccessCheckedV1, { type: 'something.new.v7', data: { any: 'thing' } });
  assert.deepEqual(await codesOf(it.lines), ['chain-unsealed']);
});

const NO_ENTRIES: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['no JSON', '{"acq":'],
  ['JSON that is no object', '7'],
  ['an object that is no entry', '{"v":1}'],
  ['a float', '{"v":1.5}'],
  ['a nest of arrays', '['.repeat(100_000)],
];
for (const [what, text] of NO_ENTRIES) {
  test(`a line of ${what} ends the reading, with a finding`, async () => {
    const report = await verified([...GOOD.slice(0, 3), text, ...GOOD.slice(4)]);
    assert.ok(report.findings.some(({ code }) => code === 'chain-line-invalid'));
    assert.equal(report.entries, 3);
  });
}

for (const contract of STORY) {
  test(`${contract.type} whose data is not what it should be is a finding, no crash`, async () => {
    for (const data of [{}, { objects: 7, context: null, policy: null, epoch: 'x' }]) {
      const it = growingChain();
      it.add(contract, { data });
      const codes = await codesOf(it.lines);
      assert.deepEqual(codes, ['chain-line-invalid', 'chain-unsealed']);
    }
  });
}

test('a chain that cannot be read is a finding, in printable words', async () => {
  const report = await verifyChain(
    // biome-ignore lint/correctness/useYield: it breaks before the first line
    (async function* () {
      throw new Error('\u001b[2Jgone');
    })(),
  );
  assert.deepEqual(
    report.findings.map(({ code }) => code),
    ['chain-unreadable', 'chain-unsealed'],
  );
  assert.match(report.findings[0]?.what ?? '', /^[\x20-\x7e]+$/);
});

test('a bag holds what was captured and the context, and once it is sealed what the seal names', async () => {
  const { state } = await verified(GOOD.slice(0, STORY.length));
  const captured = EvidenceCapturedV1.example.objects;
  const context = ContextCapturedV1.example.objects;
  assert.deepEqual(exportedObjects(state), [...captured, ...context]);
  const sealed = await verified(GOOD);
  assert.deepEqual(exportedObjects(sealed.state), AcquisitionSealedV1.example.objects);
});

const RESULT = EvidenceCapturedV1.example;
const DISORDERS: readonly (readonly [string, EventContract, object | undefined, RegExp])[] = [
  ['a result behind the seal', EvidenceCapturedV1, RESULT, /epoch 1, which is not live here/],
  ['a second claim', ExecutionStartedV1, undefined, /epoch 1, which is not live here/],
  ['an assignment', AcquisitionAssignedV1, undefined, /stands behind acquisition\.sealed\.v1/],
  ['a second end', AcquisitionFailedV1, undefined, /stands behind acquisition\.sealed\.v1/],
  ['a second beginning', AcquisitionRequestedV1, undefined, /does not stand where chains begin/],
];
for (const [what, contract, data, words] of DISORDERS) {
  test(`${what} does not belong into a chain that is sealed, and changes nothing that it names`, async () => {
    const it = sealedChain();
    it.add(contract, data === undefined ? {} : { data });
    const { findings, state } = await verified(it.lines);
    assert.deepEqual(
      findings.map(({ code }) => code),
      ['chain-disordered'],
    );
    assert.match(findings[0]?.what ?? '', words);
    assert.deepEqual(exportedObjects(state), AcquisitionSealedV1.example.objects);
  });
}

test('a result of somebody who does not hold the epoch, and a second claim, are told', async () => {
  const whats = async (...more: Parameters<ReturnType<typeof growingChain>['add']>[]) => {
    const it = growingChain();
    for (const contract of STORY.slice(0, 5)) it.add(contract);
    for (const one of more) it.add(...one);
    return (await verified(it.lines)).findings.map(({ what }) => what);
  };
  const [stolen] = await whats([EvidenceCapturedV1, { data: { ...RESULT, worker: 'k8s-9-0000' } }]);
  assert.match(stolen ?? '', /comes from a worker that does not hold the epoch/);
  assert.match((await whats([ExecutionStartedV1]))[0] ?? '', /claimed a second time/);
  const [again] = await whats([EvidenceCapturedV1], [EvidenceCapturedV1]);
  assert.match(again ?? '', /epoch 1, which is not live here/);
});

test('an entry that stands before its cause is told', async () => {
  const it = growingChain();
  it.add(AcquisitionRequestedV1);
  it.add(TargetResolvedV1, { causationid: '0199f5a2-7c3e-7a10-8f52-000000000002' });
  it.add(AccessCheckedV1, { causationid: '0199f5a2-7c3e-7a10-8f52-000000000000' });
  const { findings } = await verified(it.lines);
  const [found] = findings.filter(({ code }) => code === 'chain-disordered');
  assert.equal(found?.what, 'it is the cause of entry 2, which stands before it');
});

test('clocks that cannot all be right are told, and are no fault of the chain', async () => {
  const it = growingChain();
  it.add(AcquisitionRequestedV1);
  it.add(TargetResolvedV1, { time: '2026-11-23T10:15:00.000000Z' });
  it.add(AccessCheckedV1, { recordedAt: '2026-11-23T09:14:00.000000Z' });
  const { findings, clocks } = await verified(it.lines);
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['chain-unsealed'],
  );
  assert.deepEqual(
    clocks.map(({ where }) => where),
    ['chain.jsonl, line 2', 'chain.jsonl, line 3'],
  );
  assert.match(clocks[0]?.what ?? '', /was recorded 3600 s before that/);
  assert.match(clocks[1]?.what ?? '', /a clock was set back/);
});

test('a bag of what was never captured holds what an interrupted execution had stored', async () => {
  const it = growingChain();
  for (const contract of STORY.slice(0, 6)) it.add(contract);
  const [salvaged] = EvidenceCapturedV1.example.objects;
  it.add(ExecutionFailedV1, { data: { ...ExecutionFailedV1.example, salvaged: [salvaged] } });
  const { state } = await verified(it.lines);
  const context = ContextCapturedV1.example.objects;
  assert.deepEqual(exportedObjects(state), [salvaged, ...context]);
});

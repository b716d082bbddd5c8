// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { timeOf } from '@impound/contracts/time.ts';
import type { EvidenceSink } from '@impound/evidence/sink.ts';
import { Later, Never } from '@impound/runtime/fault.ts';
import { Stopped } from '@impound/runtime/job.ts';
import { arriving, patience } from './arriving.ts';
import { CollectorFault } from './collector/fault.ts';
import { CUT, capture, failure, GONE, RUNNING, WHOLE } from './testing/scene.ts';
import { BEGINNING, streamText } from './testing/scripted-shell.ts';

const MIB = 1_048_576;

/** A store that breaks at a part, or when an object is completed. */
function breaking(at: 'part' | 'complete', error: Error) {
  const aborted: string[] = [];
  const sink: EvidenceSink = {
    object: async (name) => ({
      part: async () => (at === 'part' ? Promise.reject(error) : undefined),
      complete: async () => Promise.reject(error),
      abort: async () => void aborted.push(name),
    }),
  };
  return { sink, aborted };
}

/** A stream whose content fills more than one part of an object: noise, which does not shrink. */
function bulk(bytes: number): (string | Buffer)[] {
  const stream = streamText();
  const noise = randomBytes(bytes).toString('latin1');
  return [BEGINNING, Buffer.from(stream.file('/noise', noise), 'latin1')];
}

const STORES = [
  ['full during a part', 'part', new Never('store-full', 'make room'), true],
  ['full at the end', 'complete', new Never('store-full', 'make room'), true],
  ['away', 'complete', new Later('store-unreachable', 0, 'no answer'), false],
] as const;

for (const [how, at, error, permanent] of STORES) {
  test(`a store that is ${how} is said as it is, and nothing is left of the try`, async () => {
    const { sink, aborted } = breaking(at, error);
    const says = at === 'part' ? [...bulk(20 * MIB), undefined] : WHOLE;
    // The container ends as well: what the store said goes before.
    const { said, shell } = await failure({ script: { says }, seen: [RUNNING, GONE], sink });
    assert.deepEqual([said.code, said.permanent], [error.code, permanent]);
    assert.deepEqual([said.salvaged, shell.disposed], [[], 1]);
    assert.equal(said.footprint.touched, true);
    assert.ok(said.footprint.bytesReceived > 0);
    assert.deepEqual(aborted.toSorted(), ['evidence.tar.zst', 'manifest.jsonl']);
  });
}

const STOPS = [
  [new Stopped('cancelled', 'the acquisition was cancelled'), true],
  [new Stopped('fenced', 'epoch 1 is over'), false],
  [new Stopped('stopping', 'the executor is being stopped'), false],
] as const;

for (const [reason, permanent] of STOPS) {
  test(`a job that is ${reason.code} drops the shell at once, and tells what it did`, async () => {
    const stop = new AbortController();
    const script = { says: [...CUT, undefined], waits: () => stop.abort(reason) };
    const { said, shell, aborted } = await failure({ script, signal: stop.signal });
    assert.deepEqual([said.code, said.permanent], [reason.code, permanent]);
    assert.deepEqual([said.salvaged, shell.disposed, aborted.length], [[], 1, 2]);
    assert.equal(said.footprint.touched, true);
    assert.ok(said.footprint.bytesSent > 10_000);
    assert.equal(said.footprint.bytesReceived, CUT.join('').length);
  });
}

test('a job that is cancelled before it began has touched nothing', async () => {
  const signal = AbortSignal.abort(new Stopped('cancelled', 'it was cancelled'));
  const { said, shell } = await failure({ script: { says: WHOLE }, signal });
  assert.deepEqual([said.code, said.footprint.touched, shell.runs], ['cancelled', false, 0]);
});

test('what came until the deadline is handed in', async (t) => {
  const over = new AbortController();
  const timeout = t.mock.method(AbortSignal, 'timeout').mock;
  timeout.mockImplementationOnce(() => over.signal);
  const data = { deadline: timeOf(Date.now() + 5_000) };
  const script = { says: [...CUT, undefined], waits: () => over.abort() };
  const { said, shell } = await capture({ script, data });
  const [msMax = 0] = timeout.calls[0]?.arguments ?? [];
  assert.ok(msMax > 0 && msMax <= 5_000, `${msMax} ms`);
  assert.equal(said.partial, true);
  assert.match(said.because ?? '', /^the time for this attempt was over/);
  assert.equal(shell.disposed, 1);
});

test('a deadline before anything came is a failure, and another try is no use', async () => {
  const data = { deadline: timeOf(Date.now() + 50) };
  const { said } = await failure({ script: { says: [undefined] }, data });
  assert.deepEqual([said.code, said.permanent], ['overdue', true]);
});

test('a container beside the target: its own paths, and what was changed for it', async () => {
  const notes = ['container impound-1 was added to the pod'];
  const text = streamText();
  const says = [BEGINNING, text.file('/proc/9/root/etc/passwd', 'root'), text.end()];
  const script = { says, root: '/proc/9/root' };
  const { said, shell, manifest } = await capture({ script, notes });
  assert.match(shell.stdin[0] ?? '', /^ROOT='\/proc\/9\/root'$/m);
  assert.match(manifest.toString(), /"path":"\/etc\/passwd"/);
  assert.equal(said.footprint.notes[0], notes[0]);
});

test('a file declared larger than the budget is told of and not waited for', async () => {
  const stat = 'atime=1 mode=81a4 uid=0 gid=0 mtime=1 ctime=1 dev=1 ino=2 nlink=1 blocks=8';
  const size = 60 * 2 ** 30;
  const header = streamText().record(
    'file',
    `path=4 link=0 ${stat} rdev=0,0 size=${size} offset=0 content=${size} why=-`,
    '/big\nonly this much',
  );
  const data = { budget: { bytesMax: MIB, secondsMax: 60 } };
  const script = { says: [BEGINNING, header] };
  const { manifest } = await capture({ script, seen: [RUNNING, GONE], data });
  assert.match(manifest.toString(), /"asked":"\/big","because":"\/big: 64424509440 bytes, at most/);
  assert.ok(!manifest.includes('"type":"file","size"'));
});

test('silence counts while the target is waited for, not while the store is slow', async () => {
  const patient = patience(250);
  const stdout = arriving({ stdout: said('a', 'b'), patience: patient, bytesMax: 9, came() {} });
  for await (const _ of stdout) await delay(400);
  assert.equal(patient.signal.aborted, false);
  await patient.during(delay(400));
  assert.equal(patient.signal.aborted, true);
});

test('a target that sends without end is bounded, whatever it calls what it sends', async () => {
  const seen: number[] = [];
  let closed = false;
  const stdout = said('abc', 'def', 'ghi', () => {
    closed = true;
  });
  const came = (bytes: number) => void seen.push(bytes);
  const bytes = arriving({ stdout, patience: patience(1_000), bytesMax: 5, came });
  await assert.rejects(Array.fromAsync(bytes), (error) => {
    return error instanceof CollectorFault && error.code === 'too-large';
  });
  assert.deepEqual([seen, closed], [[3, 3], true]);
});

async function* said(...all: (string | (() => void))[]): AsyncGenerator<Buffer> {
  try {
    for (const one of all) if (typeof one === 'string') yield Buffer.from(one);
  } finally {
    for (const one of all) if (typeof one === 'function') one();
  }
}

// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { Later, Never } from '@impound/runtime/fault.ts';
import { collectionFailed } from './collect.ts';
import type { Seen } from './ports.ts';
import {
  assignment,
  CUT,
  capture,
  failure,
  GONE,
  ID,
  RUNNING,
  refusingSink,
  type Scene,
  stream,
  WHOLE,
  WORKER,
} from './testing/scene.ts';

test('a whole run is captured, and acknowledged once, after its end marker', async () => {
  const { said, shell, report, progress } = await capture({ script: { says: WHOLE } });
  assert.equal(said.partial, false);
  assert.deepEqual(said.coverage, { got: 0, partial: 0, denied: 1, absent: 0 });
  assert.deepEqual(
    said.objects.map(({ key }) => key),
    ['t/a/e1/evidence.tar.zst', 't/a/e1/manifest.jsonl'],
  );
  assert.equal(report.files, 4);
  const [script = '', ...after] = shell.stdin;
  assert.deepEqual(after, ['ack\n']);
  assert.equal(shell.saidBefore[1], WHOLE.length);
  assert.deepEqual(said.footprint, {
    touched: true,
    processesStarted: 9,
    filesRead: 2,
    filesWritten: 0,
    bytesSent: Buffer.byteLength(script) + 4,
    bytesReceived: WHOLE.join('').length,
    notes: ['access times: relatime'],
  });
  assert.equal(shell.disposed, 1);
  assert.equal(progress.at(-1), 'trailer');
});

test('a collector that stopped at its budget gives a capture that says so', async () => {
  const { said } = await capture({ script: { says: stream('partial') } });
  assert.deepEqual([said.partial, said.because], [true, 'the collector stopped at its budget']);
});

test('what breaks behind the end marker takes nothing away', async () => {
  const gone = new Later('outcome-unknown', 0, 'the channel broke');
  const { said } = await capture({ script: { says: [...WHOLE, gone] } });
  assert.equal(said.partial, false);
});

test('bytes behind the end marker are no collector, and what came is kept', async () => {
  const { said } = await failure({ script: { says: [...WHOLE, 'more'] } });
  assert.deepEqual([said.code, said.permanent], ['collector-garbage', true]);
  assert.equal(said.salvaged.length, 2);
});

const UNTOUCHED: readonly (readonly [string, boolean, Partial<Scene>])[] = [
  ['container-not-running', true, { seen: [GONE] }],
  ['container-not-running', true, { seen: [{ state: 'waiting' }] }],
  ['container-replaced', true, { seen: [{ state: 'running', containerId: 'containerd://2' }] }],
  ['unreachable', false, { seen: [new Later('unreachable', 0, 'the API is away')] }],
  ['order-refused', true, { data: { paths: ['etc/passwd'] } }],
  ['store-full', true, { sink: refusingSink(new Never('store-full', 'make room')) }],
  ['forbidden', true, { script: { says: [], refuses: new Never('forbidden', 'no exec') } }],
];

for (const [code, permanent, scene] of UNTOUCHED) {
  test(`${code} is found before anything is sent, and says that`, async () => {
    const { said, shell, objects } = await failure({ script: { says: WHOLE }, ...scene });
    assert.deepEqual([said.code, said.permanent], [code, permanent]);
    assert.equal(said.footprint.touched, false);
    assert.equal(said.footprint.bytesSent, 0);
    assert.deepEqual(shell.stdin, []);
    assert.equal(objects.size, 0);
  });
}

test('a claim that came too late says so, and not that those who were asked were given up', async () => {
  const look = async (_target: unknown, signal: AbortSignal) => {
    if (!signal.aborted) await once(signal, 'abort');
    throw new Never('aborted', 'the caller gave up');
  };
  const { said } = await failure({ script: { says: WHOLE }, look, data: { deadline: timeOf(0) } });
  assert.deepEqual([said.code, said.permanent, said.footprint.touched], ['overdue', true, false]);
});

test('a request that nobody answered may have touched the target', async () => {
  const refuses = new Later('timeout', 0, 'not ready in time');
  const { said } = await failure({ script: { says: [], refuses } });
  assert.deepEqual([said.code, said.permanent, said.footprint.touched], ['timeout', false, true]);
});

test('a stream cut while the container lives may be tried again; what came is kept', async () => {
  const scene = { script: { says: CUT, exit: 137, stderr: 'Killed\n' } };
  const { said, objects } = await failure(scene);
  assert.deepEqual([said.code, said.permanent], ['collector-truncated', false]);
  assert.match(said.because, /sh ended with 137, killed by signal 9; it wrote: Killed$/);
  assert.deepEqual(
    said.salvaged.map(({ name }) => name),
    ['evidence.tar.zst', 'manifest.jsonl'],
  );
  assert.equal(said.footprint.touched, true);
  const lines = objects.get('manifest.jsonl')?.toString() ?? '';
  assert.match(lines, /"asked":"collection","because":"the stream ended before its end marker/);
  assert.match(lines, /"kind":"footprint"/);
});

const ENDS = [
  ['gone', GONE],
  ['terminated', { state: 'terminated', containerId: ID }],
  ['waiting to be restarted', { state: 'waiting', containerId: ID }],
  ['running again as another', { state: 'running', containerId: 'containerd://2' }],
] as const;

for (const [how, after] of ENDS) {
  test(`a stream cut by a container that is ${how} is all that will ever come`, async () => {
    const script = { says: CUT, exit: new Later('outcome-unknown', 0, 'no status came') };
    const { said } = await capture({ script, seen: [RUNNING, after] });
    assert.equal(said.partial, true);
    assert.match(said.because ?? '', /^the container ended .* no status came$/);
    assert.deepEqual(said.coverage, { got: 0, partial: 1, denied: 1, absent: 0 });
  });
}

test('a restart is noticed where the assignment did not name the container', async () => {
  const seen: Seen[] = [RUNNING, { state: 'running', containerId: 'containerd://2' }];
  const { said } = await capture({
    script: { says: CUT },
    seen,
    data: { containerId: undefined },
  });
  assert.equal(said.partial, true);
});

test('a control plane that says nothing afterwards does not cost what came', async () => {
  const seen = [RUNNING, new Later('unreachable', 0, 'the API is away')];
  const garbage = { says: [...CUT, 'what is this\n'] };
  const { said } = await failure({ script: garbage, seen });
  assert.deepEqual([said.code, said.salvaged.length], ['collector-garbage', 2]);
});

test('no shell is a fault of the image: nothing is kept, another way is needed', async () => {
  const exit = new Never('no-shell', 'the image has no shell');
  const { said, aborted } = await failure({ script: { says: [], exit } });
  assert.deepEqual([said.code, said.permanent, said.salvaged], ['no-shell', true, []]);
  assert.deepEqual(aborted.toSorted(), ['evidence.tar.zst', 'manifest.jsonl']);
});

test('garbage is told with little of what it wrote, and only what can be printed', async () => {
  const stderr = `${'A'.repeat(9_000)}\u001b[31mTOKEN\u0000\u{1f600}\nend`;
  const { said } = await failure({ script: { says: ['hello\n'], exit: 1, stderr } });
  assert.deepEqual([said.code, said.permanent], ['collector-garbage', true]);
  assert.match(said.because, /^[\x20-\x7e]+$/);
  assert.ok(said.because.length < 600);
  assert.match(said.because, /sh ended with 1; it wrote: A+ \[31mTOKEN end$/);
});

test('a fault whose text is hostile can be said all the same', async () => {
  const text = `bad\u0000\u001b ${'\u{1f600}'.repeat(2_000)}`;
  const { said } = await failure({ script: { says: [], exit: new Never('no-shell', text) } });
  assert.match(said.because, /^bad /);
  const message = assignment();
  const last = collectionFailed(message, { code: 'unsayable', because: text }, WORKER);
  ExecutionFailedV1.shape.parse(last.data);
  assert.deepEqual([last.data.permanent, last.data.footprint.touched], [true, true]);
});

test('a collector that gives no sign of life is given up', async () => {
  const says = [...CUT, undefined];
  const { said, shell } = await failure({ script: { says }, limits: { silenceMsMax: 20 } });
  assert.deepEqual([said.code, said.permanent], ['collector-silent', false]);
  assert.deepEqual([said.salvaged.length, shell.disposed], [2, 1]);
});

const UNTOLD = [
  ['cancelled', true, false],
  ['stopping', false, false],
  ['unsayable', true, true],
  ['event-too-large', true, true],
  ['bug', false, true],
] as const;

for (const [code, permanent, touched] of UNTOLD) {
  test(`${code}, said in the place of a collection, ${touched ? 'may be' : 'is no'} touch`, () => {
    const { data } = collectionFailed(assignment(), { code, because: '' }, WORKER);
    ExecutionFailedV1.shape.parse(data);
    assert.deepEqual([data.permanent, data.footprint.touched], [permanent, touched]);
    assert.equal(data.because, code);
  });
}

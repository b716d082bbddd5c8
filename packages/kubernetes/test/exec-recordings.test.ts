// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ExecRun, exec } from '../src/exec.ts';
import { KubernetesFault, type KubernetesFaultCode } from '../src/fault.ts';
import {
  dataOf,
  type RecordedExec,
  type RecordedStep,
  recording,
  replay,
  sent,
  step,
} from './recording.ts';
import { type ScriptedCluster, scriptedCluster } from './scripted-cluster.ts';

const SPOKEN = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

function start(cluster: ScriptedCluster, recorded: RecordedExec, signal: AbortSignal) {
  const [, , , , namespace = '', , pod = ''] = recorded.path.split('/');
  const { container = 'app', command = ['true'] } = recorded.query;
  const argv = [command].flat();
  return cluster
    .connect()
    .then((way) => exec(way, { namespace, pod, container: String(container), argv }, signal));
}

async function readAll(run: ExecRun): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of run.stdout) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function sendRecorded(run: ExecRun, recorded: RecordedExec): Promise<void> {
  for (const frame of recorded.frames ?? []) {
    if (frame.dir !== 'out') continue;
    if (frame.channel === 0) await run.stdin.write(dataOf(frame));
    if (frame.channel === 255) await run.stdin.end();
  }
}

function exitCodeOf(recorded: RecordedExec): number | undefined {
  const status = JSON.parse(sent(recorded, 'in', 3).toString('utf8') || '{}');
  if (status.status === 'Success') return 0;
  return status.reason === 'NonZeroExitCode' ? Number(status.details.causes[0].message) : undefined;
}

function ended(one: RecordedStep): boolean {
  const frames = one.websocket?.frames ?? [];
  const whole = frames.every((frame) => frame.bulk !== true && frame.sha256 === undefined);
  const ours = [0, 255, undefined];
  const plain = frames.every((frame) => frame.dir === 'in' || ours.includes(frame.channel));
  const known = SPOKEN.includes(one.websocket?.negotiated ?? '');
  const named = [one.websocket?.query['command'] ?? []].flat().length > 0;
  return (
    named && known && whole && plain && sent(one.websocket as RecordedExec, 'in', 3).length > 0
  );
}

const SCENARIOS = ['exec-basic', 'exec-failures', 'exec-interruptions', 'exec-subprotocols'];
const replayable = [...SCENARIOS, 'exec-stdin', 'exec-idle', 'exec-watchdog'].flatMap((name) =>
  recording(name)
    .filter(ended)
    .map((one) => ({ name, one })),
);

for (const { name, one } of replayable) {
  test(`${name}: ${one.title}: output and exit code arrive as recorded`, async (t) => {
    const recorded = one.websocket as RecordedExec;
    await using cluster = await scriptedCluster({ exec: () => replay(recorded) });
    await using run = await start(cluster, recorded, t.signal);
    await sendRecorded(run, recorded);
    assert.deepEqual(await readAll(run), sent(recorded, 'in', 1));
    const exitCode = exitCodeOf(recorded);
    if (exitCode === undefined) await assert.rejects(run.exitCode, KubernetesFault);
    else assert.equal(await run.exitCode, exitCode);
    assert.equal(run.stderrTail(), sent(recorded, 'in', 2).toString('utf8'));
  });
}

test('the recordings have enough ended commands to be worth replaying', () => {
  assert.ok(replayable.length > 40, String(replayable.length));
});

const NOT_STARTED: Readonly<Record<string, KubernetesFaultCode>> = {
  'command not found in a container that has a shell': 'command-not-started',
  'v4: command not found': 'command-not-started',
  'absolute path that does not exist': 'command-not-started',
  'a directory as command': 'command-not-started',
  'a file without the execute bit': 'command-not-started',
  'sh in a container without a shell': 'no-shell',
  'v4: sh in a container without a shell': 'no-shell',
  '/bin/sh in a container without a shell': 'no-shell',
};

for (const [title, code] of Object.entries(NOT_STARTED)) {
  test(`${title}: the channel opens, then the exit code rejects with ${code}`, async (t) => {
    const recorded = step('exec-failures', title).websocket as RecordedExec;
    await using cluster = await scriptedCluster({ exec: () => replay(recorded) });
    await using run = await start(cluster, recorded, t.signal);
    await assert.rejects(run.exitCode, { code });
  });
}

const REFUSED: readonly (readonly [string, string, KubernetesFaultCode, number])[] = [
  ['exec-failures', 'no such container', 'container-not-found', 400],
  ['exec-failures', 'an init container that has finished', 'container-not-found', 500],
  ['exec-failures', 'pod Completed (Succeeded)', 'container-not-found', 500],
  ['exec-failures', 'container in CrashLoopBackOff', 'container-not-found', 500],
  ['exec-failures', 'no such pod', 'not-found', 404],
  ['exec-failures', 'no such namespace', 'not-found', 404],
  ['exec-failures', 'pod Pending, no node assigned', 'pod-not-scheduled', 400],
  [
    'exec-failures',
    'several containers and no container named (no annotation)',
    'container-ambiguous',
    400,
  ],
  ['exec-basic', 'no stream asked for at all', 'bad-request', 400],
  ['exec-subprotocols', 'v3', 'subprotocol-refused', 403],
  ['exec-subprotocols', 'WebSocket, Accept: application/json', 'not-acceptable', 406],
  ['auth-credentials', 'exec', 'unauthorized', 401],
  ['auth-credentials', 'exec with no credential', 'forbidden', 403],
  ['auth-exec-verbs', 'podreader: WebSocket GET, v5', 'forbidden', 403],
  ['auth-exec-verbs', 'exec-create: WebSocket GET, v5', 'forbidden', 403],
  ['auth-exec-verbs', 'exec-get: WebSocket GET, v5', 'create-exec-missing', 403],
];

for (const [name, title, code, status] of REFUSED) {
  test(`${name}: ${title}: refused before the upgrade as ${code}`, async (t) => {
    const recorded = step(name, title).websocket as RecordedExec;
    await using cluster = await scriptedCluster({ exec: () => replay(recorded) });
    await assert.rejects(start(cluster, recorded, t.signal), { code, status });
  });
}

test('the unversioned protocol, whose status is plain text, is not spoken', async (t) => {
  const recorded = step('exec-subprotocols', 'no subprotocol offered').websocket as RecordedExec;
  await using cluster = await scriptedCluster({
    exec: () => replay({ ...recorded, negotiated: null }),
  });
  await assert.rejects(start(cluster, recorded, t.signal), { code: 'subprotocol-refused' });
});

test('the request asks for v5 first, no compression, and never for JSON', async (t) => {
  const recorded = step('exec-basic', 'v5: exit 3').websocket as RecordedExec;
  await using cluster = await scriptedCluster({ exec: () => replay(recorded) });
  await using run = await start(cluster, recorded, t.signal);
  await assert.doesNotReject(run.exitCode);
  const [seen] = cluster.seen;
  assert.equal(seen?.headers['sec-websocket-protocol'], SPOKEN.join(','));
  assert.equal(seen?.headers['sec-websocket-extensions'], undefined);
  assert.equal(seen?.headers.accept, undefined);
  assert.equal(seen?.headers.authorization, 'Bearer test-token');
  assert.deepEqual(seen?.url.searchParams.getAll('command'), recorded.query['command']);
  assert.equal(seen?.url.searchParams.get('tty'), null);
});

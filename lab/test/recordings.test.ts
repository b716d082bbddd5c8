// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, startCluster } from '../src/cluster.ts';
import { ask, type Exec, type ExecEnd, type HttpAnswer, startExec } from './exec-client.ts';
import { recordedCluster } from './recorded-cluster.ts';
import { until } from './until.ts';

const FOLDER = new URL('./recordings/', import.meta.url);
const PAUSE_MS_MAX = 400;
const ONE_TIME = ['uid', 'creationTimestamp'];

interface RecordedFrame {
  readonly dir: 'in' | 'out';
  readonly atMs: number;
  readonly opcode?: string;
  readonly fin?: boolean;
  readonly channel?: number;
  readonly closesChannel?: number;
  readonly text?: string;
  readonly base64?: string;
  readonly bytes?: number;
  readonly bulk?: boolean;
  readonly sha256?: string;
}

interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface Step {
  readonly title?: string;
  readonly as: string;
  readonly request?: {
    readonly method: string;
    readonly path: string;
    readonly query?: Readonly<Record<string, string | number | readonly string[]>>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
  readonly response?: Refusal;
  readonly websocket?: {
    readonly path: string;
    readonly query: Readonly<Record<string, string | readonly string[]>>;
    readonly subprotocolsOffered: readonly string[];
    readonly headers?: Readonly<Record<string, string>>;
    readonly negotiated?: string | null;
    readonly upgradeRefused?: Refusal;
    readonly frames?: readonly RecordedFrame[];
    readonly end?: { readonly code: number | null };
  };
}

let lab: Lab;
before(async () => {
  lab = await startCluster(recordedCluster());
  for (const pod of ['crash', 'done', 'failed']) await until(() => hasEnded(pod));
});
after(async () => await lab[Symbol.asyncDispose]());

for (const file of readdirSync(FOLDER).toSorted()) {
  const recording = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as {
    readonly scenario: string;
    readonly steps: readonly Step[];
  };
  for (const [index, step] of recording.steps.entries()) {
    const name = step.title ?? step.request?.path ?? step.websocket?.path ?? '';
    const title = `${recording.scenario} ${index} ${step.as}: ${name}`;
    if (needsBulk(step)) continue;
    test(title, async () => {
      if (step.request !== undefined) await replayRequest(step);
      else await replayExec(step);
    });
  }
}

/** Bytes that were not recorded cannot be sent again; exec.test.ts makes its own. */
function needsBulk(step: Step): boolean {
  return (step.websocket?.frames ?? []).some(
    (one) => one.dir === 'out' && one.sha256 !== undefined,
  );
}

function tokenOf(as: string): { readonly token?: string } {
  if (as === 'none') return {};
  if (as === 'admin') return { token: lab.token('admin') };
  const account = /^serviceaccount (\S+)$/.exec(as)?.[1];
  return { token: account === undefined ? 'no-such-token' : lab.token(account) };
}

async function replayRequest(step: Step): Promise<void> {
  const { request, response } = step;
  assert.ok(request !== undefined && response !== undefined);
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(request.query ?? {})) {
    for (const value of [values].flat()) query.append(name, tokenless(name, String(value)));
  }
  const path = query.size === 0 ? request.path : `${request.path}?${query}`;
  const { method, headers = {}, body } = request;
  const answer = await ask(lab, { method, path, headers, body, ...tokenOf(step.as) });
  sameAnswer(answer, response, request.query ?? {});
}

// A continue token means something to the server that gave it; here it is given anew.
function tokenless(name: string, value: string): string {
  if (name !== 'continue' || value === 'bm90IGEgdG9rZW4') return value;
  const token = JSON.parse(Buffer.from(value, 'base64url').toString()) as { start: string };
  return Buffer.from(JSON.stringify({ ...token, v: 'meta.k8s.io/v1' })).toString('base64url');
}

function sameAnswer(answer: HttpAnswer, expected: Refusal, query: object): void {
  assert.equal(answer.status, expected.status, answer.text);
  const type = (value: string | undefined) => (value ?? '').split(';')[0];
  assert.equal(type(answer.headers['content-type']), type(expected.headers['content-type']));
  const body = expected.body;
  if (typeof body !== 'object' || body === null) {
    assert.equal(answer.text, body ?? '');
    return;
  }
  const given = JSON.parse(answer.text) as Record<string, unknown>;
  const wanted = body as Record<string, unknown>;
  if (wanted['kind'] === 'Status') assert.deepEqual(comparable(given), comparable(wanted));
  else if ('items' in wanted) sameList(given, wanted, query);
  else if (wanted['kind'] === 'Pod') assert.deepEqual(containers(given), containers(wanted));
  else if (String(wanted['kind']).startsWith('SelfSubject')) {
    assert.deepEqual(comparable(given), comparable(wanted));
  } else sameKind(given, wanted);
}

function sameKind(given: Record<string, unknown>, wanted: Record<string, unknown>): void {
  assert.equal(given['kind'], wanted['kind']);
  assert.equal(given['gitVersion'], wanted['gitVersion']);
  assert.deepEqual(Object.keys(given), Object.keys(wanted));
}

function sameList(given: Record<string, unknown>, wanted: Record<string, unknown>, query: object) {
  const one = given['metadata'] as Record<string, unknown>;
  const other = wanted['metadata'] as Record<string, unknown>;
  assert.equal(given['kind'], wanted['kind']);
  assert.equal(given['apiVersion'], wanted['apiVersion']);
  const names = (list: unknown) =>
    (list as { metadata: { name: string } }[]).map((item) => item.metadata.name);
  if ('labelSelector' in query) {
    assert.deepEqual(names(given['items']), names(wanted['items']));
    assert.deepEqual(Object.keys(one).toSorted(), Object.keys(other).toSorted());
  }
  if (!('continue' in query)) {
    assert.equal('remainingItemCount' in one, 'remainingItemCount' in other);
    assert.equal('continue' in one, 'continue' in other);
  }
}

function containers(pod: Record<string, unknown>): unknown {
  return (pod['spec'] as { readonly ephemeralContainers: unknown }).ephemeralContainers;
}

/** What must be equal of a Status or a review; a diff of the server's own structs is cut. */
function comparable(value: unknown): unknown {
  if (typeof value === 'string') {
    return value
      .replace(/start exec "[0-9a-f]+"/g, 'start exec "ID"')
      .replace(/\n@@.*$/s, '\n')
      .replace(/(continue key is not valid):.*/, '$1');
  }
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== 'extra');
  return Object.fromEntries(
    entries.map(([key, one]) => [key, ONE_TIME.includes(key) ? key : comparable(one)]),
  );
}

async function hasEnded(pod: string): Promise<boolean> {
  const asked = { path: `/api/v1/namespaces/shop/pods/${pod}`, token: lab.token('admin') };
  const { status } = JSON.parse((await ask(lab, asked)).text);
  return status.containerStatuses[0].state.running === undefined;
}

async function replayExec(step: Step): Promise<void> {
  const recorded = step.websocket;
  assert.ok(recorded !== undefined);
  const { path, query, subprotocolsOffered: protocols } = recorded;
  if (step.title?.startsWith('POST') === true) return await replayPost(step);
  const accept = /Accept: (\S+)/.exec(step.title ?? '')?.[1];
  const headers = { ...recorded.headers, ...(accept === undefined ? {} : { accept }) };
  const exec = startExec(lab, { path, query, protocols, headers, ...tokenOf(step.as) });
  if (recorded.upgradeRefused === undefined) await sendRecorded(exec, recorded.frames ?? []);
  const end = await exec.ended;
  if (recorded.upgradeRefused !== undefined) return sameRefusal(end, recorded.upgradeRefused);
  assert.equal(end.refused, undefined, JSON.stringify(end.refused));
  assert.equal(end.code, recorded.end?.code);
  assert.equal(end.protocol, recorded.negotiated ?? '');
  sameFrames(exec, recorded.frames ?? [], step.title ?? '');
}

/** A WebSocket client cannot ask by POST, so the upgrade is asked for by hand. */
async function replayPost(step: Step): Promise<void> {
  const query = new URLSearchParams({ container: 'app', command: 'true', stdout: 'true' });
  const headers = {
    accept: '*/*',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  const path = `${step.websocket?.path}?${query}`;
  const asking = { method: 'POST', path, headers, upgrade: true, ...tokenOf(step.as) };
  const answer = await ask(lab, asking);
  assert.equal(answer.status, step.websocket?.upgradeRefused?.status);
  assert.equal(answer.text, step.websocket?.upgradeRefused?.body);
}

function sameRefusal(end: ExecEnd, expected: Refusal): void {
  assert.ok(end.refused !== undefined, 'the exec was not refused');
  const { refused } = end;
  assert.equal(refused.status, expected.status);
  if (typeof expected.body === 'object' && expected.body !== null) {
    const wanted = expected.body as Record<string, unknown>;
    assert.deepEqual(comparable(JSON.parse(refused.text)), comparable(wanted));
  } else assert.equal(refused.text, expected.body ?? '');
  const both = ['content-type', 'content-length'] as const;
  for (const name of both) assert.equal(refused.headers[name] ?? '', expected.headers[name] ?? '');
}

async function sendRecorded(exec: Exec, frames: readonly RecordedFrame[]): Promise<void> {
  const opened = new Promise((resolve) => exec.socket.once('open', resolve));
  await Promise.race([opened, exec.ended]);
  const sent = frames.filter((one) => one.dir === 'out');
  const ended = frames.some((one) => one.dir === 'in' && one.opcode === 'close');
  let at = 0;
  for (const frame of sent) {
    const answersClose = frame.opcode === 'close' && ended && lastIsClose(frames);
    if (answersClose) return;
    await sleep(Math.min(frame.atMs - at, PAUSE_MS_MAX));
    at = frame.atMs;
    sendFrame(exec, frame);
  }
}

/** True if the client's close frame was the answer to the server's. */
function lastIsClose(frames: readonly RecordedFrame[]): boolean {
  return frames.at(-1)?.dir === 'out' && frames.at(-2)?.opcode === 'close';
}

function sendFrame(exec: Exec, frame: RecordedFrame): void {
  const data =
    frame.base64 === undefined
      ? Buffer.from(frame.text ?? '')
      : Buffer.from(frame.base64, 'base64');
  const { socket } = exec;
  if (frame.opcode === 'close') socket.close(1000);
  else if (frame.opcode === 'ping') socket.ping(data);
  else if (frame.opcode === 'text') socket.send(data.toString('latin1'));
  else if (frame.closesChannel !== undefined) socket.send(Buffer.from([255, frame.closesChannel]));
  else if (frame.opcode === 'continuation') socket.send(data, { fin: true });
  else {
    const payload = Buffer.concat([Buffer.from([frame.channel ?? 0]), data]);
    socket.send(payload, { fin: frame.fin ?? true });
  }
}

function sameFrames(exec: Exec, frames: readonly RecordedFrame[], title: string): void {
  const incoming = frames.filter((one) => one.dir === 'in' && one.opcode === undefined);
  if (frames.some((one) => one.opcode === 'text' && one.dir === 'in')) {
    const plain = frames.filter((one) => one.dir === 'in' && one.opcode === 'text');
    assert.deepEqual(
      exec.frames.map((one) => `${one.channel}${one.data}`),
      plain.map((one) => one.text),
    );
    return;
  }
  const [first] = exec.frames;
  assert.equal(first?.channel, incoming[0]?.channel);
  assert.equal(first?.data.length, 0);
  assert.ok(exec.frames.every((one) => !one.text));
  assert.equal(exec.frames.at(-1)?.channel, incoming.at(-1)?.channel);
  assert.deepEqual(statusOf(exec.output(3).toString()), statusOf(recordedText(incoming, 3)));
  // What a command says of its user and of errors is the programs' wording, not the server's.
  if (/may read|writing/.test(title)) return;
  for (const channel of [1, 2]) {
    assert.equal(exec.output(channel).toString('latin1'), recordedText(incoming, channel));
  }
}

function recordedText(frames: readonly RecordedFrame[], channel: number): string {
  const own = frames.filter((one) => one.channel === channel);
  const data = own.map((one) =>
    one.base64 === undefined ? Buffer.from(one.text ?? '') : Buffer.from(one.base64, 'base64'),
  );
  return Buffer.concat(data).toString('latin1');
}

function statusOf(text: string): unknown {
  if (!text.startsWith('{')) return text;
  return comparable(JSON.parse(text));
}

// SPDX-License-Identifier: Apache-2.0

import type { ContainerRecord, PodRecord } from '../pods/pod-record.ts';
import type { LogLine } from '../runtime/log-buffer.ts';
import { type Answer, sendAnswer } from './answer.ts';
import { type Context, chosenContainer, podOf } from './context.ts';
import { ApiStatus, badRequest, invalid } from './status.ts';

const POLL_MS = 100;

/** Answers pods/log; with `follow` until the container ends. */
export function answerLog(context: Context): void {
  const { world, asked, query, request, response } = context;
  const pod = podOf(world, asked);
  checkAccept(request.headers.accept ?? '*/*');
  const options = logOptions(pod, query);
  const record = chosenContainer(pod, query.get('container') ?? '');
  if (pod.nodeName === '') {
    sendAnswer(response, { status: 204, type: '', body: '', fromServer: true });
    return;
  }
  const text = logText(pod, record, options);
  if (options.follow && record.ended === undefined) follow(context, record, text);
  else sendAnswer(response, textAnswer(text));
}

function textAnswer(body: string): Answer {
  return { status: 200, type: 'text/plain', body, fromServer: true };
}

function checkAccept(accept: string): void {
  if (accept.includes('*/*') || accept.includes('application/')) return;
  const types = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
  const message = `only the following media types are accepted: ${types}`;
  throw new ApiStatus(406, 'NotAcceptable', message);
}

interface LogOptions {
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  readonly sinceSeconds: number | undefined;
  readonly timestamps: boolean;
  readonly previous: boolean;
  readonly follow: boolean;
}

function logOptions(pod: PodRecord, query: URLSearchParams): LogOptions {
  const number = (name: string, least: number): number | undefined => {
    const text = query.get(name);
    if (text === null) return undefined;
    const value = Number(text);
    if (Number.isInteger(value) && value >= least) return value;
    const rule = `must be greater than ${least === 0 ? 'or equal to 0' : '0'}`;
    const message = `Invalid value: ${text}: ${rule}`;
    const cause = { reason: 'FieldValueInvalid', message, field: name };
    throw invalid('PodLogOptions', pod.spec.name, [cause]);
  };
  const flag = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  return {
    tailLines: number('tailLines', 0),
    limitBytes: number('limitBytes', 1),
    sinceSeconds: number('sinceSeconds', 1),
    timestamps: flag('timestamps'),
    previous: flag('previous'),
    follow: flag('follow'),
  };
}

function logText(pod: PodRecord, record: ContainerRecord, options: LogOptions): string {
  const { name } = record.spec;
  if (options.previous) {
    if (record.spec.previousLog !== undefined) return record.spec.previousLog;
    throw badRequest(`previous terminated container "${name}" in pod "${pod.spec.name}" not found`);
  }
  if (record.running === undefined) {
    const reason = record.waiting?.reason ?? 'ContainerCreating';
    throw badRequest(
      `container "${name}" in pod "${pod.spec.name}" is waiting to start: ${reason}`,
    );
  }
  const since = Date.now() - (options.sinceSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  const lines = record.running.log.lines.filter((line) => line.time.getTime() >= since);
  const tail = options.tailLines === undefined ? lines : lastOf(lines, options.tailLines);
  const text = tail.map((line) => lineText(line, options.timestamps)).join('');
  return Buffer.from(text).subarray(0, options.limitBytes).toString();
}

function lastOf(lines: readonly LogLine[], count: number): readonly LogLine[] {
  return count === 0 ? [] : lines.slice(-count);
}

function lineText(line: LogLine, timestamps: boolean): string {
  const stamp = line.time.toISOString().replace('Z', '000000Z');
  return timestamps ? `${stamp} ${line.text}` : line.text;
}

function follow(context: Context, record: ContainerRecord, first: string): void {
  const { response, signal } = context;
  const log = record.running?.log;
  response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' });
  response.write(first);
  let sent = log?.lines.length ?? 0;
  const more = setInterval(() => {
    const lines = log?.lines.slice(sent) ?? [];
    sent += lines.length;
    for (const line of lines) response.write(line.text);
    if (record.ended !== undefined) response.end();
  }, POLL_MS);
  const stop = (): void => clearInterval(more);
  response.on('close', stop);
  signal.addEventListener('abort', stop, { once: true });
}

// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import WebSocket from 'ws';
import type { Lab } from '../src/cluster.ts';

/** A plain HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** What a request is made of; without an account it carries no credential. */
export interface HttpQuestion {
  readonly method?: string;
  readonly path: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly upgrade?: boolean;
}

/** Makes one request of the lab; its answer may last. */
export async function open(lab: Lab, question: HttpQuestion): Promise<IncomingMessage> {
  const { method = 'GET', path, token, headers = {}, body } = question;
  const credential = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const connection = question.upgrade === true ? 'Upgrade' : 'close';
  const sent = request(`${lab.url}${path}`, {
    method,
    ca: lab.authority,
    headers: { accept: 'application/json', ...headers, ...credential, connection },
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
}

/** Makes one request of the lab and reads the answer to its end. */
export async function ask(lab: Lab, question: HttpQuestion): Promise<HttpAnswer> {
  const answer = await open(lab, question);
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return { status: answer.statusCode ?? 0, headers: answer.headers, text };
}

/** One frame from the server. */
export interface Frame {
  readonly channel: number;
  readonly data: Buffer;
  readonly text: boolean;
}

/** An exec as a client sees it. */
export interface Exec {
  readonly socket: WebSocket;
  readonly frames: readonly Frame[];
  /** The refusal in place of the upgrade, once `ended` says so. */
  readonly ended: Promise<ExecEnd>;
  /** All data of a channel so far. */
  output(channel: number): Buffer;
}

/** How an exec ended: refused, or closed with a code. */
export type ExecEnd =
  | { readonly refused: HttpAnswer }
  | { readonly refused?: undefined; readonly code: number; readonly protocol: string };

/** Where and what to run. */
export interface ExecQuestion {
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly protocols?: readonly string[];
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts an exec; frames are kept as they come. */
export function startExec(lab: Lab, question: ExecQuestion): Exec {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(question.query)) {
    for (const value of [values].flat()) query.append(name, value);
  }
  const { token, headers = {}, protocols = ['v5.channel.k8s.io'] } = question;
  const credential = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const url = `${lab.url.replace('https', 'wss')}${question.path}?${query}`;
  const socket = new WebSocket(url, [...protocols], {
    ca: lab.authority,
    perMessageDeflate: false,
    skipUTF8Validation: true,
    headers: { ...headers, ...credential },
  });
  const frames: Frame[] = [];
  socket.on('message', (data: Buffer, binary: boolean) => {
    const channel = binary ? (data[0] ?? -1) : Number(String.fromCharCode(data[0] ?? 0));
    frames.push({ channel, data: data.subarray(1), text: !binary });
  });
  return {
    socket,
    frames,
    ended: endOf(socket),
    output: (channel) =>
      Buffer.concat(frames.filter((one) => one.channel === channel).map((one) => one.data)),
  };
}

async function endOf(socket: WebSocket): Promise<ExecEnd> {
  const { promise, resolve } = Promise.withResolvers<ExecEnd>();
  socket.on('error', () => undefined);
  socket.on('close', (code) => resolve({ code, protocol: socket.protocol }));
  socket.on('unexpected-response', (_sent, answer: IncomingMessage) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('close', () => {
      const text = Buffer.concat(chunks).toString();
      resolve({ refused: { status: answer.statusCode ?? 0, headers: answer.headers, text } });
      socket.terminate();
    });
  });
  return await promise;
}

/** Runs a command to its end as the administrator, in the pod `web` unless told otherwise. */
export async function execToEnd(
  lab: Lab,
  command: readonly string[],
  more: { readonly pod?: string; readonly container?: string; readonly namespace?: string } = {},
): Promise<{
  readonly exec: Exec;
  readonly status: Record<string, unknown>;
  readonly code: number;
}> {
  const { pod = 'web', container = 'app', namespace = 'shop' } = more;
  const exec = startExec(lab, {
    path: `/api/v1/namespaces/${namespace}/pods/${pod}/exec`,
    query: { container, command, stdout: 'true', stderr: 'true' },
    token: lab.token('admin'),
  });
  const end = await exec.ended;
  if (end.refused !== undefined)
    throw new Error(`refused: ${end.refused.status} ${end.refused.text}`);
  return { exec, status: JSON.parse(exec.output(3).toString() || '{}'), code: end.code };
}

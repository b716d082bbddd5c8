// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { messageOf } from '@impound/runtime/fault.ts';
import { routed } from '@impound/runtime/http-watch.ts';
import type { Log } from '@impound/runtime/log.ts';
import type { Answer } from './cosigning.ts';
import { REQUEST_BYTES_MAX } from './request.ts';

/** What the door of a witness leads to. */
export interface Witnessing {
  addCheckpoint(body: Buffer): Promise<Answer>;
  /** The last cosigned checkpoint of the log whose origin has this SHA-256. */
  checkpoint(originHash: string): string | undefined;
}

const CHECKPOINT = /^\/([0-9a-f]{64})\/checkpoint$/;
const TEXT = 'text/plain; charset=utf-8';

/** The HTTP of C2SP tlog-witness: POST /add-checkpoint, GET /<origin hash>/checkpoint. */
export function listener(witnessing: Witnessing, log: Log): RequestListener {
  return (request, response) => {
    void answered(witnessing, request, log)
      .catch((error: unknown) => {
        log.error('not answered', { because: messageOf(error) });
        return { status: 500, text: 'the witness cannot answer, its log says why\n' };
      })
      .then((reply) => send(response, reply));
  };
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

function send(response: ServerResponse, { status, text, type = TEXT }: Reply): void {
  const headers = { 'content-type': type, 'cache-control': 'no-store' };
  response.writeHead(status, headers).end(text);
}

async function answered(on: Witnessing, request: IncomingMessage, log: Log): Promise<Reply> {
  const { method, url = '' } = request;
  if (url === '/add-checkpoint') {
    routed('/add-checkpoint');
    if (method !== 'POST') return { status: 405, text: 'POST only\n' };
    return added(on, request, log);
  }
  const originHash = CHECKPOINT.exec(url)?.[1];
  if (originHash === undefined) return { status: 404, text: 'not found\n' };
  routed('/{origin}/checkpoint');
  if (method !== 'GET') return { status: 405, text: 'GET only\n' };
  const text = on.checkpoint(originHash);
  return text === undefined ? { status: 404, text: 'no checkpoint yet\n' } : { status: 200, text };
}

async function added(on: Witnessing, request: IncomingMessage, log: Log): Promise<Reply> {
  const body = await bodyOf(request);
  if (body === undefined) return { status: 400, text: 'the request is too long\n' };
  const answer = await on.addCheckpoint(body);
  if (answer.status === 200) return { status: 200, text: answer.line };
  const { status, because } = answer;
  log[status === 422 ? 'error' : 'info']('refused', { status, because });
  const text = `${because}\n`;
  return status === 409 ? { status, text, type: 'text/x.tlog.size' } : { status, text };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes <= REQUEST_BYTES_MAX) parts.push(part);
    else return undefined;
  }
  return Buffer.concat(parts);
}

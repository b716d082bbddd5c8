// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The secret part of every URL. */
export const SIGNATURE = 'c2lnbmF0dXJl-of-the-session';

/** Something that goes wrong with the next `times` requests of a method; once if left out. */
export interface Fault {
  readonly on: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly status?: number;
  readonly type?: string;
  readonly body?: string;
  /** Drops the connection before the request counts, or after it has counted. */
  readonly cut?: 'before' | 'after';
  readonly times?: number;
}

interface Held {
  readonly parts: Map<number, Buffer>;
  completed: { key: string; bytes: number; sha256: string } | undefined;
}

/** The other end of the upload protocol, in memory, with faults as scripted. */
export interface ScriptedStore extends AsyncDisposable {
  url(name: string): string;
  partsOf(name: string): Buffer[];
  /** Methods in the order they came. */
  readonly requests: string[];
  readonly tokens: Set<string>;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Starts a store on a free port. */
export async function scriptedStore(faults: readonly Fault[] = []): Promise<ScriptedStore> {
  const held = new Map<string, Held>();
  const requests: string[] = [];
  const tokens = new Set<string>();
  const left = faults.map((fault) => ({ ...fault, times: fault.times ?? 1 }));

  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });

  /** The fault that is next for a method, once. */
  function take(method: string | undefined): Fault | undefined {
    const fault = left.find(({ on, times }) => on === method && times > 0);
    if (fault !== undefined) fault.times -= 1;
    return fault;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    requests.push(request.method ?? '');
    tokens.add(request.headers.authorization ?? 'none');
    const fault = take(request.method);
    const ends = fault?.cut === 'before' || fault?.status !== undefined;
    const answer = ends ? faulty(fault, request) : answerOf(request, Buffer.concat(chunks));
    if (fault?.cut !== undefined) request.socket.destroy();
    else response.writeHead(answer.status, { location: '/elsewhere' }).end(answer.body);
  }

  function answerOf(request: IncomingMessage, body: Buffer): { status: number; body?: string } {
    const url = new URL(request.url ?? '', 'http://store');
    const [, , name = '', what, number] = url.pathname.split('/');
    if (url.searchParams.get('sig') !== SIGNATURE) return { status: 403 };
    const object = held.get(name) ?? { parts: new Map(), completed: undefined };
    held.set(name, object);
    if (request.method === 'GET') return { status: 200, body: JSON.stringify(holding(object)) };
    if (request.method === 'DELETE') {
      held.delete(name);
      return { status: 204 };
    }
    if (what === 'complete') return complete(name, object, JSON.parse(body.toString()));
    return put(object, Number(number), { body, digest: request.headers['content-digest'] });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: (name) => `http://127.0.0.1:${port}/u/${name}?sig=${SIGNATURE}`,
    partsOf: (name) => [...(held.get(name)?.parts.values() ?? [])],
    requests,
    tokens,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A careless store repeats the URL in its text. */
function faulty(fault: Fault, request: IncomingMessage): { status: number; body: string } {
  const { status = 500, type = 'about:blank' } = fault;
  const detail = `refused ${request.url}`;
  return { status, body: fault.body ?? JSON.stringify({ type, detail }) };
}

function holding(object: Held): object {
  const parts = [...object.parts].map(([number, bytes]) => ({
    number,
    bytes: bytes.length,
    sha256: sha256(bytes),
  }));
  return { parts, completed: object.completed };
}

function put(
  object: Held,
  number: number,
  part: { readonly body: Buffer; readonly digest: string | string[] | undefined },
): { status: number } {
  const base64 = createHash('sha256').update(part.body).digest('base64');
  if (part.digest !== `sha-256=:${base64}:`) return { status: 400 };
  const there = object.parts.get(number);
  if (there !== undefined && !there.equals(part.body)) return { status: 409 };
  object.parts.set(number, part.body);
  return { status: 204 };
}

function complete(
  name: string,
  object: Held,
  whole: { parts: number; bytes: number; sha256: string },
): { status: number; body?: string } {
  const bytes = Buffer.concat([...object.parts.values()]);
  const same = bytes.length === whole.bytes && sha256(bytes) === whole.sha256;
  if (!same || whole.parts !== object.parts.size) return { status: 422 };
  object.completed = { key: `default/${name}`, bytes: bytes.length, sha256: whole.sha256 };
  return { status: 200, body: JSON.stringify({ object: { name, ...object.completed } }) };
}

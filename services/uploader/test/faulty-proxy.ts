// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

/** What a test makes of one request: an answer of its own, a broken connection, or nothing. */
export type Fate =
  | { readonly status: number; readonly body?: string }
  | 'cut'
  | 'cut-answer'
  | 'hang'
  | undefined;

/** Stands before a server: writes down what is asked, and is whatever trouble a test wants. */
export interface FaultyProxy {
  readonly url: string;
  /** Method, path and the names of the query, in order. */
  readonly seen: string[];
  fate: (asked: string) => Fate;
  /**
   * Compares x-amz-checksum-sha256 with the bytes and tells it in lists, as AWS says that it does
   * and servers that can be had here do not.
   */
  checksums: boolean;
  /** Settles once a request with the fate 'hang' has come and is left unread. */
  hung(): Promise<void>;
}

/** Lets everything through to `target` until it is told otherwise. */
export async function faultyProxy(
  target: string,
  scope: AsyncDisposableStack,
): Promise<FaultyProxy> {
  const kept = new Map<string, string>();
  const waiting: (() => void)[] = [];
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${port}`,
    seen: [],
    fate: () => undefined,
    checksums: false,
    hung: () => new Promise((resolve) => waiting.push(resolve)),
  };

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', proxy.url);
    const asked = `${incoming.method} ${url.pathname}?${[...url.searchParams.keys()].join('&')}`;
    proxy.seen.push(asked);
    const fate = proxy.fate(asked);
    if (fate === 'hang') return void waiting.shift()?.();
    if (fate === 'cut') return void incoming.socket.destroy();
    if (typeof fate === 'object') return await refuse(incoming, outgoing, fate);
    const body = await compared(incoming, url);
    if (body === 'wrong') {
      return await refuse(incoming, outgoing, { status: 400, body: BAD_DIGEST });
    }
    await forward({ incoming, outgoing, body, url, cutAnswer: fate === 'cut-answer' });
  }

  /** A body whose checksum was announced, once it is known to be right. */
  async function compared(incoming: IncomingMessage, url: URL) {
    const announced = proxy.checksums ? incoming.headers['x-amz-checksum-sha256'] : undefined;
    if (announced === undefined) return undefined;
    const body = await whole(incoming);
    if (sha256Of(body) !== announced) return 'wrong';
    kept.set(partName(url), String(announced));
    return body;
  }

  async function forward(of: {
    readonly incoming: IncomingMessage;
    readonly outgoing: ServerResponse;
    readonly body: Buffer | undefined;
    readonly url: URL;
    readonly cutAnswer: boolean;
  }): Promise<void> {
    const { incoming, outgoing, body, url } = of;
    const onward = request(new URL(target), {
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
      agent: false,
    });
    const sent = body === undefined ? pipeline(incoming, onward) : onward.end(body);
    const [response] = (await once(onward, 'response')) as [IncomingMessage];
    await sent;
    if (of.cutAnswer) return await cutShort(response, outgoing);
    if (proxy.checksums && incoming.method === 'GET' && url.searchParams.has('uploadId')) {
      return await tellChecksums(response, outgoing, url);
    }
    outgoing.writeHead(response.statusCode ?? 500, response.headers);
    await pipeline(response, outgoing);
  }

  async function tellChecksums(response: IncomingMessage, outgoing: ServerResponse, url: URL) {
    const text = (await whole(response)).toString();
    const told = text.replaceAll(/<PartNumber>(\d+)<\/PartNumber>/g, (found, number: string) => {
      const sum = kept.get(partName(url, number));
      return sum === undefined ? found : `${found}<ChecksumSHA256>${sum}</ChecksumSHA256>`;
    });
    const { 'content-length': _, ...headers } = response.headers;
    outgoing.writeHead(response.statusCode ?? 500, headers);
    outgoing.end(told);
  }

  return proxy;
}

const BAD_DIGEST = '<Error><Code>BadDigest</Code></Error>';

async function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, body = '' }: { readonly status: number; readonly body?: string },
): Promise<void> {
  incoming.resume();
  if (!incoming.readableEnded) await once(incoming, 'end');
  outgoing.writeHead(status, { 'content-type': 'application/xml', connection: 'close' });
  outgoing.end(body);
}

/** Half of an answer, and then nothing: what a broken connection leaves. */
async function cutShort(response: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const body = await whole(response);
  outgoing.writeHead(response.statusCode ?? 500, response.headers);
  outgoing.write(body.subarray(0, body.length / 2), () => outgoing.destroy());
}

async function whole(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64');
}

function partName(url: URL, number = url.searchParams.get('partNumber')): string {
  return `${url.searchParams.get('uploadId')} ${number}`;
}

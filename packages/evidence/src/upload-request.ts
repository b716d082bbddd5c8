// SPDX-License-Identifier: Apache-2.0
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

/** One request, whose body goes as it is: fetch would copy the bytes of each part twice. */
export interface Outgoing {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
}

/** What came back, redirects included: nothing is followed. */
export interface Incoming {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** Cut at `answerBytesMax`. */
  readonly text: string;
}

/**
 * Sends one http or https request and reads its answer. Rejects with the system's error, and with
 * AbortError. The body must stay as it is until then.
 */
export async function sent(
  url: URL,
  { method, headers, body }: Outgoing,
  limits: { readonly answerBytesMax: number; readonly signal: AbortSignal },
): Promise<Incoming> {
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = send(url, {
    method,
    headers:
      body === undefined ? headers : { ...headers, 'content-length': Buffer.byteLength(body) },
    signal: limits.signal,
  });
  request.once('response', resolve);
  request.on('error', reject);
  request.end(body);
  const response = await promise;
  const text = await boundedText(response, limits.answerBytesMax);
  const { statusCode: status = 0, headers: answered } = response;
  return { status, retryAfter: answered['retry-after'], text };
}

async function boundedText(response: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

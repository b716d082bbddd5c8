// SPDX-License-Identifier: Apache-2.0
import { createHash, createVerify, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CRC32C } from '@google-cloud/storage';

/** What a server would hold of one object. */
interface Held {
  readonly bytes: Buffer;
  readonly generation: number;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly updated: string;
  retention?: { readonly mode: string; readonly retainUntilTime: string };
}

/**
 * As much of Google Cloud Storage as the uploader uses, written after its documentation: no server
 * of others could be had here. It compares V4 signatures, preconditions, length ranges and object
 * retention; its JSON API believes whoever asks, as the SDK logs in to no endpoint without TLS.
 * What it proves about the real service is as good as the documentation.
 */
export interface GcsEmulator {
  readonly url: string;
  replace(name: string, bytes: Buffer): void;
  /** The bytes of an object become others, and nobody has written them. */
  rot(name: string, bytes: Buffer): void;
  remove(name: string): void;
  /** What somebody does who may override a lock that is not locked. */
  shorten(name: string, retainUntilTime: string): void;
}

const PATH = /^(\/upload)?\/storage\/v1\/b\/([^/]+)(?:\/o(?:\/([^/]+)(\/compose)?)?)?$/;

class Refused extends Error {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
    this.reason = reason;
  }
}

/** Listens until the scope ends; buckets are fixed. */
export async function gcsEmulator(
  of: {
    /** Names, and whether their objects can be locked. */
    readonly buckets: Readonly<Record<string, boolean>>;
    readonly publicKey: KeyObject;
  },
  scope: AsyncDisposableStack,
): Promise<GcsEmulator> {
  const objects = new Map<string, Held>();
  let generations = 1_700_000_000_000_000;

  function make(name: string, held: Pick<Held, 'bytes' | 'metadata' | 'contentType'>): Held {
    generations += 1;
    const made = { ...held, generation: generations, updated: new Date().toISOString() };
    objects.set(name, made);
    return made;
  }

  function unlessTaken(name: string, precondition: string | null | undefined): void {
    if (precondition !== '0' || !objects.has(name)) return;
    throw new Refused(412, 'conditionNotMet');
  }

  function found(name: string): Held {
    return objects.get(name) ?? refuse(404, 'notFound');
  }

  function remove(name: string): void {
    const until = found(name).retention?.retainUntilTime;
    if (until !== undefined && Date.parse(until) > Date.now()) refuse(403, 'retentionPolicyNotMet');
    objects.delete(name);
  }

  function resource(name: string, held: Held): object {
    const { bytes, generation, contentType, metadata, updated, retention } = held;
    const facts = { contentType, metadata, updated, retention };
    const checksum = new CRC32C();
    checksum.update(bytes);
    const crc32c = checksum.toString();
    return { name, size: `${bytes.length}`, crc32c, generation: `${generation}`, ...facts };
  }

  function list(prefix: string): object {
    const names = [...objects.keys()].filter((name) => name.startsWith(prefix)).toSorted();
    return { items: names.map((name) => resource(name, found(name))) };
  }

  function compose(name: string, url: URL, body: Buffer): object {
    const { sourceObjects, destination } = JSON.parse(body.toString()) as {
      readonly sourceObjects: readonly { readonly name: string; readonly generation?: string }[];
      readonly destination: { readonly contentType?: string; readonly metadata?: object };
    };
    if (sourceObjects.length > 32) refuse(400, 'invalid');
    unlessTaken(name, url.searchParams.get('ifGenerationMatch'));
    const bytes = Buffer.concat(sourceObjects.map((source) => found(source.name).bytes));
    const { contentType = '', metadata = {} } = destination;
    return resource(name, make(name, { bytes, contentType, metadata: { ...metadata } }));
  }

  function patch(name: string, url: URL, body: Buffer): object {
    const held = found(name);
    const wanted = url.searchParams.get('ifGenerationMatch');
    if (wanted !== null && Number(wanted) !== held.generation) refuse(412, 'conditionNotMet');
    const { retention } = JSON.parse(body.toString()) as Pick<Held, 'retention'>;
    const next = { ...held, ...(retention === undefined ? {} : { retention }) };
    objects.set(name, next);
    return resource(name, next);
  }

  function insert(url: URL, incoming: IncomingMessage, body: Buffer): object {
    const name = url.searchParams.get('name') ?? refuse(400, 'required');
    unlessTaken(name, url.searchParams.get('ifGenerationMatch'));
    const { json, content } = related(incoming.headers['content-type'] ?? '', body);
    const { metadata = {}, contentType = '' } = json;
    return resource(name, make(name, { bytes: content, metadata, contentType }));
  }

  function putSigned(url: URL, incoming: IncomingMessage, body: Buffer): void {
    const [, bucket = '', ...rest] = url.pathname.split('/');
    const name = decodeURIComponent(rest.join('/'));
    if (!(bucket in of.buckets)) refuse(404, 'NoSuchBucket');
    verify(url, incoming, of.publicKey);
    const header = (key: string) => incoming.headers[key] as string | undefined;
    const [least = '0', most = ''] = header('x-goog-content-length-range')?.split(',') ?? [];
    if (body.length < Number(least) || body.length > Number(most || Infinity)) {
      refuse(400, 'EntityTooLarge');
    }
    unlessTaken(name, header('x-goog-if-generation-match'));
    const metadata = Object.fromEntries(
      Object.entries(incoming.headers).flatMap(([key, value]) =>
        key.startsWith('x-goog-meta-') ? [[key.slice('x-goog-meta-'.length), String(value)]] : [],
      ),
    );
    make(name, { bytes: body, metadata, contentType: header('content-type') ?? '' });
  }

  function ofObject(name: string, url: URL, incoming: IncomingMessage, body: Buffer) {
    if (incoming.method === 'DELETE') return remove(name);
    if (incoming.method === 'PATCH') return patch(name, url, body);
    const held = found(name);
    const wanted = url.searchParams.get('generation');
    if (wanted !== null && Number(wanted) !== held.generation) refuse(404, 'notFound');
    if (url.searchParams.get('alt') !== 'media') return resource(name, held);
    return rangeOf(held.bytes, incoming.headers.range);
  }

  function ofBucket(bucket: string, url: URL): object {
    if (url.pathname.endsWith('/o')) return list(url.searchParams.get('prefix') ?? '');
    const objectRetention = of.buckets[bucket] ? { objectRetention: { mode: 'Enabled' } } : {};
    return { name: bucket, ...objectRetention };
  }

  function answer(url: URL, incoming: IncomingMessage, body: Buffer): unknown {
    const match = PATH.exec(url.pathname);
    if (match === null) return putSigned(url, incoming, body);
    const [, upload, bucket = '', encoded, composing] = match;
    if (!(bucket in of.buckets)) refuse(404, 'notFound');
    if (upload !== undefined) return insert(url, incoming, body);
    if (encoded === undefined) return ofBucket(bucket, url);
    const name = decodeURIComponent(encoded);
    if (composing !== undefined) return compose(name, url, body);
    return ofObject(name, url, incoming, body);
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const url = new URL(incoming.url ?? '/', 'http://emulator');
    try {
      tell(outgoing, 200, answer(url, incoming, Buffer.concat(chunks)));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { status, reason } = error;
      tell(outgoing, status, { error: { code: status, errors: [{ reason }], message: reason } });
    }
  }

  const server = createServer((incoming, outgoing) => {
    void serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    replace: (name, bytes) => void make(name, { bytes, metadata: {}, contentType: '' }),
    rot: (name, bytes) => void objects.set(name, { ...found(name), bytes }),
    remove,
    shorten: (name, retainUntilTime) => {
      found(name).retention = { mode: 'Unlocked', retainUntilTime };
    },
  };
}

function rangeOf(bytes: Buffer, range = ''): Buffer {
  const [, first = '', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
  return bytes.subarray(Number(first), last === '' ? undefined : Number(last) + 1);
}

function refuse(status: number, reason: string): never {
  throw new Refused(status, reason);
}

function tell(outgoing: ServerResponse, status: number, what: unknown): void {
  if (Buffer.isBuffer(what)) {
    outgoing.writeHead(status, { 'content-length': what.length });
    outgoing.end(what);
    return;
  }
  const text = what === undefined ? '' : JSON.stringify(what);
  outgoing.writeHead(text === '' && status === 200 ? 204 : status, {
    'content-type': 'application/json',
  });
  outgoing.end(text);
}

/** The two halves of multipart/related: what is said of the object, and its bytes. */
function related(type: string, body: Buffer) {
  const mark = `--${/boundary="?([^";]+)"?/.exec(type)?.[1] ?? refuse(400, 'badContent')}`;
  const second = body.indexOf(mark, mark.length);
  const last = body.lastIndexOf(`\r\n${mark}--`);
  if (second < 0 || last < 0) refuse(400, 'badContent');
  const after = (from: number) => body.indexOf('\r\n\r\n', from) + 4;
  const json = JSON.parse(body.subarray(after(0), second).toString()) as {
    readonly contentType?: string;
    readonly metadata?: Record<string, string>;
  };
  return { json, content: body.subarray(after(second), last) };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Compares a V4 signature (GOOG4-RSA-SHA256) and looks whether it has expired. */
function verify(url: URL, incoming: IncomingMessage, key: KeyObject): void {
  const query = (name: string) => url.searchParams.get(name) ?? refuse(403, 'AccessDenied');
  const [date, signed] = [query('X-Goog-Date'), query('X-Goog-SignedHeaders')];
  const scope = query('X-Goog-Credential').split('/').slice(1).join('/');
  const sorted = [...url.searchParams].filter(([name]) => name !== 'X-Goog-Signature').toSorted();
  const text = sorted.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
  // The SDK signs the host without its port, as the real service has none.
  const values: NodeJS.Dict<string | string[]> = {
    ...incoming.headers,
    host: incoming.headers.host?.replace(/:\d+$/, ''),
  };
  const headers = signed.split(';').map((name) => `${name}:${values[name]}\n`);
  const hash = String(incoming.headers['x-goog-content-sha256'] ?? 'UNSIGNED-PAYLOAD');
  const asked = [incoming.method, url.pathname, text, headers.join(''), signed, hash].join('\n');
  const toSign = ['GOOG4-RSA-SHA256', date, scope, sha256(asked)].join('\n');
  const right = createVerify('RSA-SHA256')
    .update(toSign)
    .verify(key, query('X-Goog-Signature'), 'hex');
  const began = Date.parse(
    date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
  const over = began + Number(query('X-Goog-Expires')) * 1_000 < Date.now();
  if (!right || over) refuse(403, right ? 'ExpiredToken' : 'SignatureDoesNotMatch');
}

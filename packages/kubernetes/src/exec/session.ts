// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { abortedFault, KubernetesFault, quote } from '../fault.ts';
import { CHANNEL, SUBPROTOCOLS } from './channels.ts';
import { divert } from './diversion.ts';
import { type Keepalive, startKeepalive } from './keepalive.ts';
import { type ExecLimits, REFUSAL_BYTES_MAX, STDERR_BYTES_MAX } from './limits.ts';
import { type StatusReader, statusReader } from './outcome.ts';
import { type Output, pulledOutput } from './output.ts';
import { handshakeFault, upgradeRefusal } from './refusal.ts';
import type { StdinSink } from './stdin.ts';
import { byteTail, type Tail } from './tail.ts';

/** So often it is looked whether something still comes before a channel is closed. */
const CLOSE_LOOKS = 5;

/** What a session is about. */
export interface SessionOptions {
  readonly argv: readonly string[];
  readonly host: string;
  readonly limits: ExecLimits;
}

/** One exec channel from the handshake to its end; owns the socket. */
export class ExecSession implements AsyncDisposable, StdinSink {
  readonly output: Output;
  readonly stderr: Tail = byteTail(STDERR_BYTES_MAX);
  /** Resolves with the first frame; rejects if the channel ends before it. */
  readonly ready = Promise.withResolvers<void>();
  readonly exitCode = Promise.withResolvers<number>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #ws: WebSocket;
  readonly #options: SessionOptions;
  readonly #signal: AbortSignal;
  readonly #status: StatusReader;
  readonly #keepalive: Keepalive;
  readonly #readyTimer: NodeJS.Timeout;
  #closing: Keepalive | undefined;
  #opened = false;
  #failure: KubernetesFault | undefined;

  /** Takes a socket that is still connecting: its listeners must be there before the first byte. */
  constructor(ws: WebSocket, options: SessionOptions, signal: AbortSignal) {
    const { limits } = options;
    this.#ws = ws;
    this.#options = options;
    this.#signal = signal;
    this.#status = statusReader(options.argv);
    this.output = pulledOutput(
      { pause: () => ws.pause(), resume: () => ws.resume() },
      limits.queueBytesMax,
    );
    this.#keepalive = startKeepalive({
      pingMs: limits.pingMs,
      idleMsMax: limits.idleMsMax,
      ping: () => this.#ping(),
      // The handshake has limits of its own.
      paused: () => !this.#opened || this.output.paused(),
      onIdle: () => this.#fail(lost(`silent for ${limits.idleMsMax} ms`)),
    });
    this.#readyTimer = setTimeout(() => this.#fail(notReady(limits)), limits.readyMsMax);
    // Whoever waits hears of it; nobody waiting must not end the process.
    this.ready.promise.catch(() => undefined);
    this.exitCode.promise.catch(() => undefined);
    this.#listen();
  }

  halfCloses(): boolean {
    return this.#ws.protocol === SUBPROTOCOLS[0];
  }

  closed(): boolean {
    return this.#ws.readyState !== this.#ws.OPEN;
  }

  send(message: Buffer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#ws.send(message, { binary: true, fin: true, compress: false }, (error) =>
      error ? reject(error) : resolve(),
    );
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ws.terminate();
    await this.#ended.promise;
  }

  #listen(): void {
    const ws = this.#ws;
    let socket: Duplex | undefined;
    ws.on('upgrade', (response) => {
      socket = response.socket;
    });
    ws.on('open', () => {
      this.#opened = true;
      const { frameBytesMax } = this.#options.limits;
      if (socket) divert(socket, { stdout: (bytes) => this.#stdout(bytes), frameBytesMax });
    });
    ws.on('message', (data: Buffer, isBinary) => this.#message(data, isBinary));
    ws.on('pong', () => this.#heard());
    ws.on('ping', () => this.#heard());
    ws.on('unexpected-response', (_request, response) => void this.#refused(response));
    ws.on('error', (error) => this.#fail(this.#faultOf(error)));
    ws.once('close', (code, reason) => this.#closed(code, reason));
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    if (this.#signal.aborted) this.#onAbort();
  }

  readonly #onAbort = () => this.#fail(abortedFault(this.#signal));

  #message(data: Buffer, isBinary: boolean): void {
    this.#heard();
    if (this.#failure) return;
    if (!isBinary) {
      this.#fail(violation('it sent text where only binary is agreed on'));
      return;
    }
    this.#isReady();
    const bytes = data.subarray(1);
    if (bytes.byteLength === 0) return;
    if (data[0] === CHANNEL.stdout) this.output.push(bytes);
    if (data[0] === CHANNEL.stderr) this.stderr.push(bytes);
    if (data[0] === CHANNEL.status) this.#status.push(bytes);
    if (this.#status.outcome()) this.#expectClose();
  }

  #stdout(bytes: Buffer): void {
    this.#heard();
    if (this.#failure) return;
    this.#isReady();
    this.output.push(bytes);
  }

  #isReady(): void {
    clearTimeout(this.#readyTimer);
    this.ready.resolve();
  }

  #heard(): void {
    this.#keepalive.heard();
    this.#closing?.heard();
  }

  /** Output may still follow the status of an older server; a server that never closes may not. */
  #expectClose(): void {
    const { closeMsMax } = this.#options.limits;
    this.#closing ??= startKeepalive({
      pingMs: closeMsMax / CLOSE_LOOKS,
      idleMsMax: closeMsMax,
      ping: () => undefined,
      paused: () => this.output.paused(),
      onIdle: () => this.#ws.terminate(),
    });
  }

  #ping(): void {
    if (this.#ws.readyState === this.#ws.OPEN && this.#ws.bufferedAmount === 0) this.#ws.ping();
  }

  async #refused(response: IncomingMessage): Promise<void> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        bytes += chunk.byteLength;
        if (bytes >= REFUSAL_BYTES_MAX) break;
      }
    } catch {
      // A body that breaks off still leaves the status, and that decides.
    }
    const body = Buffer.concat(chunks).toString('utf8', 0, REFUSAL_BYTES_MAX);
    const retryAfter = response.headers['retry-after'];
    this.#fail(upgradeRefusal({ status: response.statusCode ?? 0, retryAfter, body }));
  }

  #faultOf(error: Error): KubernetesFault {
    if (!this.#opened) return handshakeFault(error, this.#options.host);
    const code = 'code' in error ? String(error.code) : '';
    if (code.startsWith('WS_ERR_')) return violation(quote(error.message), error);
    return lost(quote(error.message), error);
  }

  #fail(fault: KubernetesFault): void {
    const decided = this.#status.outcome() && fault.code !== 'protocol-violation';
    if (!decided) this.#failure ??= fault;
    this.#ws.terminate();
  }

  #closed(code: number, reason: Buffer): void {
    clearTimeout(this.#readyTimer);
    this.#closing?.stop();
    this.#keepalive.stop();
    this.#signal.removeEventListener('abort', this.#onAbort);
    const outcome = this.#status.outcome();
    const fault = this.#failure ?? (outcome && 'fault' in outcome ? outcome.fault : undefined);
    if (!fault && outcome && 'exitCode' in outcome) this.exitCode.resolve(outcome.exitCode);
    else this.exitCode.reject(fault ?? this.#unknown(code, reason));
    this.ready.reject(fault ?? this.#unknown(code, reason));
    this.output.end();
    this.#ended.resolve();
  }

  #unknown(code: number, reason: Buffer): KubernetesFault {
    if (this.#status.garbled()) return lost('its status could not be read');
    const said = reason.byteLength === 0 ? '' : ` (${quote(reason.toString('utf8'))})`;
    return lost(`closed with ${code}${said} and no status`);
  }
}

function lost(why: string, cause?: unknown): KubernetesFault {
  return new KubernetesFault(
    'outcome-unknown',
    `the exec channel ended without a result: ${why}; the command may still run, ` +
      'check what arrived and look into the container before it is repeated',
    { cause },
  );
}

function violation(why: string, cause?: unknown): KubernetesFault {
  return new KubernetesFault(
    'protocol-violation',
    `the server broke the exec protocol: ${why}; do not trust what it sent, check what is between`,
    { cause },
  );
}

function notReady(limits: ExecLimits): KubernetesFault {
  return new KubernetesFault(
    'timeout',
    `the exec channel was not ready within ${limits.readyMsMax} ms; the node may be overloaded, ` +
      'try again later',
  );
}

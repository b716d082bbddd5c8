// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
const CONTROL_BYTES_MAX = 125;
const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** What a connection's owner hears. */
export interface WebSocketEvents {
  /** One frame's payload; fragments come as messages of their own, as the real server has it. */
  message(payload: Buffer): void;
  /** The client is gone, with a close frame or without one. */
  gone(): void;
}

/**
 * The server's end of a WebSocket. Written here and not taken from a package, since the real
 * server's faults (fragments, limits, no pings) are what clients have to be tested against.
 */
export interface ServerWebSocket {
  /** Sends one frame; false asks to wait for `whenDrained`. */
  send(payload: Buffer, text?: boolean): boolean;
  whenDrained(then: () => void): void;
  close(code: number): void;
  pause(): void;
  resume(): void;
  /** Ends the connection without a close frame. */
  destroy(): void;
}

/** Answers 101 and speaks the WebSocket protocol (RFC 6455) from then on. */
export function acceptWebSocket(
  asked: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  protocol: string,
  events: WebSocketEvents,
): ServerWebSocket {
  const { request, socket, head } = asked;
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`);
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept.digest('base64')}`,
    ...(protocol === '' ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return serve(socket, head, events);
}

function serve(socket: Duplex, head: Buffer, events: WebSocketEvents): ServerWebSocket {
  let closing = false;
  let isGone = false;
  const gone = (): void => {
    if (!isGone) events.gone();
    isGone = true;
  };
  const write = (opcode: number, payload: Buffer): boolean => {
    if (socket.destroyed || socket.writableEnded) return true;
    socket.cork();
    socket.write(frameHead(opcode, payload.length));
    const room = socket.write(payload);
    socket.uncork();
    return room;
  };
  const close = (code: number): void => {
    if (closing) return;
    closing = true;
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    write(OPCODE.close, payload);
    socket.end();
  };
  const parse = frameParser((opcode, payload) => {
    if (closing) return;
    if (opcode === OPCODE.ping) write(OPCODE.pong, payload);
    else if (opcode === OPCODE.close) {
      close(1000);
      gone();
    } else if (opcode !== OPCODE.pong) events.message(payload);
  });
  const receive = (data: Buffer): void => {
    if (!parse(data)) socket.destroy();
  };
  socket.on('data', receive);
  socket.on('error', () => socket.destroy());
  socket.on('end', () => socket.end());
  socket.on('close', gone);
  if (head.length > 0) receive(head);
  return {
    send: (payload, text = false) => write(text ? OPCODE.text : OPCODE.binary, payload),
    whenDrained: (then) => socket.once('drain', then),
    close,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    destroy: () => socket.destroy(),
  };
}

function frameHead(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode;
  if (length <= CONTROL_BYTES_MAX) return Buffer.from([first, length]);
  if (length <= 0xffff) return Buffer.from([first, 126, length >> 8, length & 0xff]);
  const head = Buffer.alloc(10);
  head[0] = first;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

interface FrameStart {
  readonly opcode: number;
  readonly length: number;
  readonly mask: Buffer;
  readonly bytes: number;
}

/** Takes bytes as they come and calls back per frame; false when the client broke the rules. */
function frameParser(frame: (opcode: number, payload: Buffer) => void) {
  let pending: Buffer[] = [];
  let size = 0;
  let needed = 2;
  // One step: a frame taken out, or undefined when bytes are missing.
  const take = (all: Buffer): FrameStart | 'more' | 'refused' => {
    const start = frameStart(all);
    needed = typeof start === 'string' ? all.length + 1 : start.bytes + start.length;
    return typeof start !== 'string' && all.length < needed ? 'more' : start;
  };
  return (data: Buffer): boolean => {
    pending.push(data);
    size += data.length;
    if (size < needed) return true;
    let all = Buffer.concat(pending);
    let start = take(all);
    while (typeof start !== 'string') {
      const payload = all.subarray(start.bytes, needed);
      unmask(payload, start.mask);
      all = all.subarray(needed);
      frame(start.opcode, payload);
      start = take(all);
    }
    pending = [all];
    size = all.length;
    return start !== 'refused';
  };
}

function frameStart(data: Buffer): FrameStart | 'more' | 'refused' {
  const [first, second] = data;
  if (first === undefined || second === undefined) return 'more';
  if ((second & 0x80) === 0 || (first & 0x70) !== 0) return 'refused';
  const short = second & 0x7f;
  const bytes = 6 + widthOf(short);
  if (data.length < bytes) return 'more';
  const length = lengthOf(data, short);
  if (length > MESSAGE_BYTES_MAX) return 'refused';
  return { opcode: first & 0x0f, length, mask: data.subarray(bytes - 4, bytes), bytes };
}

function widthOf(short: number): number {
  if (short === 127) return 8;
  return short === 126 ? 2 : 0;
}

function lengthOf(data: Buffer, short: number): number {
  if (short === 127) return Number(data.readBigUInt64BE(2));
  return short === 126 ? data.readUInt16BE(2) : short;
}

function unmask(payload: Buffer, mask: Buffer): void {
  const [a = 0, b = 0, c = 0, d = 0] = mask;
  const key = [a, b, c, d];
  for (let index = 0; index < payload.length; index += 1) {
    payload[index] = (payload[index] ?? 0) ^ (key[index & 3] ?? 0);
  }
}

// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream';
import { CHANNEL } from './channels.ts';

/** A whole binary message in one frame: FIN, no extension, opcode 2 (RFC 6455 section 5.2). */
const WHOLE_BINARY = 0x82;
const FIN = 0x80;
const CONTROL = 0x08;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** Where the bytes of stdout go, and how large a frame of them may be. */
export interface Diverted {
  /** Called with bytes that are gone when it returns. */
  readonly stdout: (bytes: Buffer) => void;
  readonly frameBytesMax: number;
}

/**
 * Takes stdout out of a WebSocket's bytes before its client sees them, once the client listens to
 * the socket. The client would make two buffers of every message, and a collection of garbage
 * follows each 64 MiB of buffers: that cost more than all else that is done with the bytes. What
 * is no plain message of stdout goes to the client as it came, faults of the protocol included.
 */
export function divert(socket: Duplex, diverted: Diverted): void {
  const theirs = socket.listeners('data');
  socket.removeAllListeners('data');
  const pass = (bytes: Buffer) => {
    // A copy: the client may keep it, the chunk it came in is given back.
    const own = Buffer.from(bytes);
    for (const listener of theirs) listener.call(socket, own);
  };
  const filter = frameFilter(pass, diverted);
  socket.on('data', (chunk: Buffer) => {
    filter(chunk);
    giveBack(chunk);
  });
  // What a paused socket still held when it closed would be read by the client alone.
  socket.prependListener('close', () => {
    const rest: Buffer | null = socket.read();
    if (rest !== null) filter(rest);
  });
}

/** Frees the memory of a chunk at once, where the chunk is all of it. */
function giveBack({ buffer, byteLength }: Buffer): void {
  if (byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

interface Reading {
  readonly pass: (bytes: Buffer) => void;
  readonly diverted: Diverted;
  readonly head: Buffer;
  have: number;
  /** Payload bytes of the current frame that have not come yet. */
  left: number;
  isStdout: boolean;
  /** Between the first and the last frame of a message: the client joins them. */
  fragmented: boolean;
  /** Nothing can be told any more: all is the client's. */
  lost: boolean;
}

const HEAD_BYTES_MAX = 11;

/** Splits a stream into messages of stdout and all the rest, however it is cut into chunks. */
function frameFilter(pass: (bytes: Buffer) => void, diverted: Diverted) {
  const head = Buffer.alloc(HEAD_BYTES_MAX);
  const reading: Reading = {
    ...{ pass, diverted, head, have: 0, left: 0 },
    ...{ isStdout: false, fragmented: false, lost: false },
  };
  return (chunk: Buffer): void => {
    for (let at = 0; at < chunk.length; ) at += step(reading, chunk, at);
  };
}

/** Takes some bytes from `at` on; gives how many. */
function step(it: Reading, chunk: Buffer, at: number): number {
  if (it.lost) {
    it.pass(chunk.subarray(at));
    return chunk.length - at;
  }
  if (it.left === 0) {
    it.head[it.have++] = chunk[at] ?? 0;
    headed(it);
    return 1;
  }
  const piece = chunk.subarray(at, at + it.left);
  it.left -= piece.length;
  if (it.isStdout) it.diverted.stdout(piece);
  else it.pass(piece);
  return piece.length;
}

/** Decides about a frame as soon as its head is there: with the channel, where that matters. */
function headed(it: Reading): void {
  const { head, have } = it;
  const second = head[1] ?? 0;
  const bytes = 2 + widthOf(second);
  if (have < 2 || (have < bytes && (second & MASKED) === 0)) return;
  const length = lengthOf(head, second);
  it.lost = (second & MASKED) !== 0 || !Number.isSafeInteger(length);
  const plain = isPlain(it, length);
  if (plain && have === bytes) return;
  it.isStdout = plain && head[bytes] === CHANNEL.stdout;
  it.left = length - (have - bytes);
  it.have = 0;
  if (!it.isStdout) passHead(it, head.subarray(0, have));
}

function isPlain({ head, fragmented, lost, diverted }: Reading, length: number): boolean {
  if (head[0] !== WHOLE_BINARY || fragmented || lost) return false;
  return length > 1 && length <= diverted.frameBytesMax;
}

function passHead(it: Reading, head: Buffer): void {
  const first = head[0] ?? 0;
  if ((first & CONTROL) === 0) it.fragmented = (first & FIN) === 0;
  it.pass(head);
}

function widthOf(second: number): number {
  const short = second & ~MASKED;
  if (short === LENGTH_64) return 8;
  return short === LENGTH_16 ? 2 : 0;
}

function lengthOf(head: Buffer, second: number): number {
  if (second === LENGTH_64) return Number(head.readBigUInt64BE(2));
  return second === LENGTH_16 ? head.readUInt16BE(2) : second;
}

// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, Execution } from '../runtime/container.ts';
import { type ExecProtocol, exitMessage, startFailureMessage } from './exec-protocol.ts';
import type { Fault } from './faults.ts';
import type { ServerWebSocket, WebSocketEvents } from './websocket.ts';

const DATA_BYTES_MAX = 32_768;
const CLOSE_CHANNEL = 255;
const NOTHING = Buffer.alloc(0);
// A process that has closed its output lives on longer than one that is about to end.
const OUTLIVES_OUTPUT_MS = 40;

/** What a client asked to run. */
export interface ExecRequest {
  readonly container: Container;
  readonly argv: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly fault: Fault | undefined;
  /** Told when the command has ended in the container, or could not begin. */
  readonly over: () => void;
}

/** Connects a WebSocket with a command in a container, with the real server's manners. */
export function execSession(
  asked: ExecRequest,
  protocol: ExecProtocol,
  accept: (events: WebSocketEvents) => ServerWebSocket,
): void {
  const early: Buffer[] = [];
  const client: Client = {
    gone: false,
    feed: (payload) => void early.push(payload),
    left: () => {},
  };
  const socket = accept({
    message: (payload) => client.feed(payload),
    gone: () => {
      client.gone = true;
      client.left();
    },
  });
  const out = sender(socket, protocol, asked.fault);
  out.send(firstChannel(asked), Buffer.alloc(0));
  void run({ asked, protocol, socket, out, client, early });
}

interface Client {
  gone: boolean;
  feed: (payload: Buffer) => void;
  left: () => void;
}

interface Session {
  readonly asked: ExecRequest;
  readonly protocol: ExecProtocol;
  readonly socket: ServerWebSocket;
  readonly out: Sender;
  readonly client: Client;
  /** What came before the command ran. */
  readonly early: Buffer[];
}

async function run(session: Session): Promise<void> {
  const { asked, protocol, socket, out } = session;
  const { stdin, stdout, stderr } = asked;
  const started = await asked.container.exec(asked.argv, { stdin, stdout, stderr });
  if (typeof started === 'string') {
    asked.over();
    out.send(3, Buffer.from(startFailureMessage(protocol, started)));
    socket.close(1000);
    return;
  }
  const input = connectInput(session, started);
  const copied = copyOutputs(started, out, input);
  const ended = await started.ended;
  asked.over();
  await copied;
  started.destroy();
  // A server that could not hand over all input waits for ever, as the real one does.
  if (input?.stuck() === true) return;
  const message = exitMessage(protocol, asked.argv, ended.code);
  if (message !== '') out.send(3, Buffer.from(message));
  if (!out.struck()) socket.close(1000);
}

async function copyOutputs(
  started: Execution,
  to: Sender,
  input: Input | undefined,
): Promise<void> {
  const sources = [started.stdout, started.stderr];
  const outputs = sources.map((source, index) => pump(source, index + 1, to));
  // With no output to copy the runtime takes stdin away at once.
  const none = sources.every((source) => source === undefined);
  for (const [index, output] of outputs.entries()) {
    if (none || sources[index] !== undefined) void output.then(() => loseInput(started, input));
  }
  await Promise.all(outputs);
}

function connectInput(session: Session, started: Execution): Input | undefined {
  const { client, early, protocol, socket } = session;
  const input = started.stdin === undefined ? undefined : inputOf(started.stdin, socket);
  client.feed = (payload) => receive(payload, protocol, input);
  for (const payload of early.splice(0)) client.feed(payload);
  client.left = () => abandon(started);
  if (client.gone) abandon(started);
  return input;
}

function firstChannel(asked: ExecRequest): number {
  if (asked.stdout) return 1;
  return asked.stderr ? 2 : 3;
}

// Nobody reads any more, and stdin ends: the command is not killed, but stuck if it writes.
function abandon(execution: Execution): void {
  execution.stdout?.pause();
  execution.stderr?.pause();
  execution.stdin?.end();
  void execution.ended.then(() => execution.destroy());
}

/** The runtime closes stdin when the copying of an output ends, while the command runs on. */
async function loseInput(execution: Execution, input: Input | undefined): Promise<void> {
  const over = execution.ended.then(() => true);
  const ended = await Promise.race([over, sleep(OUTLIVES_OUTPUT_MS, false)]);
  if (!ended) input?.lose();
}

type Send = (channel: number, data: Buffer) => boolean;

interface Sender {
  readonly send: Send;
  /** Calls back once more can be sent, after `send` gave false. */
  readonly whenRoom: (then: () => void) => void;
  /** True once a fault has ended the stream; what is sent afterwards is dropped. */
  readonly struck: () => boolean;
}

function sender(socket: ServerWebSocket, protocol: ExecProtocol, fault: Fault | undefined): Sender {
  const whenRoom = (then: () => void): void => void socket.whenDrained(then);
  if (fault?.kind === 'pause') return pausing(socket, protocol, fault);
  if (fault === undefined || !('afterBytes' in fault)) {
    return {
      send: (channel, data) => transmit(socket, protocol, channel, data),
      whenRoom,
      struck: () => false,
    };
  }
  let left = fault.afterBytes;
  let struck = false;
  const strike = (): void => {
    struck = true;
    if (fault.kind === 'cut') socket.destroy();
    if (fault.kind === 'close-without-status') socket.close(1000);
  };
  const send: Send = (channel, data) => {
    const status = channel === 3 && data.length > 0;
    const part = status ? NOTHING : data.subarray(0, left);
    if (struck) return true;
    left -= part.length;
    if (part.length > 0 || data.length === 0) transmit(socket, protocol, channel, part);
    if (part.length < data.length) strike();
    return true;
  };
  return { send, whenRoom, struck: () => struck };
}

/** Sends so many bytes and keeps the rest until it may go on. */
function pausing(
  socket: ServerWebSocket,
  protocol: ExecProtocol,
  { afterBytes, reached, until }: Extract<Fault, { readonly kind: 'pause' }>,
): Sender {
  const held: [number, Buffer][] = [];
  let left = afterBytes;
  let open = false;
  let paused = false;
  const opened = until.then(() => {
    open = true;
    paused = false;
    for (const [channel, data] of held) transmit(socket, protocol, channel, data);
  });
  const pass: Send = (channel, data) => transmit(socket, protocol, channel, data);
  const send: Send = (channel, data) => {
    if (open || (!paused && data.length <= left)) {
      left -= data.length;
      return pass(channel, data);
    }
    held.push([channel, paused ? data : data.subarray(left)]);
    if (paused) return false;
    paused = true;
    pass(channel, data.subarray(0, left));
    reached();
    return false;
  };
  const whenRoom = (then: () => void): void =>
    paused ? void opened.then(then) : void socket.whenDrained(then);
  return { send, whenRoom, struck: () => false };
}

function transmit(
  socket: ServerWebSocket,
  protocol: ExecProtocol,
  ...[channel, data]: [number, Buffer]
): boolean {
  if (protocol.base64)
    return socket.send(Buffer.from(`${channel}${data.toString('base64')}`), true);
  return socket.send(Buffer.concat([Buffer.from([channel]), data]));
}

async function pump(source: Socket | undefined, channel: number, to: Sender): Promise<void> {
  // A command may be over before anybody listens; then there is no more event to wait for.
  if (source === undefined || source.readableEnded || source.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  source.on('data', (data: Buffer) => {
    let room = true;
    for (let from = 0; from < data.length; from += DATA_BYTES_MAX) {
      room = to.send(channel, data.subarray(from, from + DATA_BYTES_MAX));
    }
    if (room) return;
    source.pause();
    to.whenRoom(() => source.resume());
  });
  source.on('end', resolve);
  source.on('close', resolve);
  source.on('error', () => source.destroy());
  return await promise;
}

/** The way of stdin data from the connection into the process. */
interface Input {
  write(data: Buffer): void;
  end(): void;
  lose(): void;
  /** True when the process ended before it took all input. */
  stuck(): boolean;
}

function inputOf(stdin: Socket, socket: ServerWebSocket): Input {
  let lost = false;
  let unwritten = 0;
  stdin.on('error', () => stdin.destroy());
  stdin.on('drain', () => socket.resume());
  return {
    write: (data) => {
      if (lost || stdin.writableEnded) return;
      if (stdin.destroyed) {
        unwritten += data.length;
        return;
      }
      unwritten += data.length;
      const room = stdin.write(data, (error) => {
        if (error === null || error === undefined) unwritten -= data.length;
      });
      if (!room) socket.pause();
    },
    end: () => stdin.end(),
    lose: () => {
      lost = true;
      stdin.destroy();
      socket.resume();
    },
    stuck: () => !lost && unwritten > 0,
  };
}

function receive(payload: Buffer, protocol: ExecProtocol, input: Input | undefined): void {
  if (protocol.base64) {
    const data = Buffer.from(payload.subarray(1).toString('latin1'), 'base64');
    if (payload[0] === 0x30) input?.write(data);
    return;
  }
  const [channel, closed] = payload;
  if (channel === 0 && payload.length > 1) input?.write(payload.subarray(1));
  const closesInput = channel === CLOSE_CHANNEL && closed === 0 && payload.length === 2;
  if (closesInput && protocol.halfClose) input?.end();
}

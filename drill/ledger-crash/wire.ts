// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Into the server, or out of it to whoever came. */
export type Way = 'in' | 'out';

/** One message of a protocol, whole, and what it is called. */
export interface Message {
  readonly label: string;
  readonly bytes: Buffer;
}

/** Takes apart what goes both ways on one connection; what is not whole yet waits in it. */
export interface Reader {
  read(way: Way, bytes: Buffer): readonly Message[];
  /** The process of the server behind this connection, where the protocol tells. */
  pid?(): number | undefined;
}

/** A message that comes by, before it is let through. */
export interface Step {
  readonly way: Way;
  readonly label: string;
  /** The process behind the connection; undefined: it is not known. */
  readonly pid: number | undefined;
  /** Lets the message through now, and nothing after it. */
  pass(): void;
}

/**
 * What becomes of it: it goes through, both ends of its connection are closed, or only the end of
 * whoever came is, and the server hears nothing any more.
 */
export type Fate = 'pass' | 'cut' | 'half';

/** A way in front of a server on which every message is seen before it goes through. */
export interface Wire extends AsyncDisposable {
  readonly port: number;
  /** From now on each message is shown to this one, which decides. */
  watch(look: (step: Step) => Fate | Promise<Fate>): void;
  /** Ends every connection: whoever was connected begins anew. */
  cut(): void;
}

interface State {
  readonly toPort: number;
  readonly open: () => Reader;
  readonly sockets: Set<Socket>;
  look: (step: Step) => Fate | Promise<Fate>;
}

/** Opens a wire to a port of this machine. */
export async function openWire(toPort: number, open: () => Reader): Promise<Wire> {
  const state: State = { toPort, open, sockets: new Set(), look: () => 'pass' };
  const server = createServer((outside) => join(state, outside));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const one of state.sockets) one.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    watch: (look) => {
      state.look = look;
    },
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Pair {
  readonly outside: Socket;
  readonly inside: Socket;
  readonly reader: Reader;
  /** True once nothing goes through any more. */
  over: boolean;
}

function join(state: State, outside: Socket): void {
  const inside = connect({ port: state.toPort, host: '127.0.0.1', noDelay: true });
  outside.setNoDelay(true);
  const pair: Pair = { outside, inside, reader: state.open(), over: false };
  for (const one of [outside, inside]) {
    state.sockets.add(one);
    one.on('error', () => undefined);
    one.on('close', () => {
      state.sockets.delete(one);
      if (!pair.over) end(pair, 'cut');
    });
  }
  flow(state, pair, 'in').catch(() => end(pair, 'cut'));
  flow(state, pair, 'out').catch(() => end(pair, 'cut'));
}

function end(pair: Pair, how: 'cut' | 'half'): void {
  pair.over = true;
  // No reset: a socket that is reset while it ends keeps Node 24 from ever ending its process.
  pair.outside.destroy();
  if (how === 'cut') pair.inside.destroy();
}

async function flow(state: State, pair: Pair, way: Way): Promise<void> {
  const [from, to] = way === 'in' ? [pair.outside, pair.inside] : [pair.inside, pair.outside];
  for await (const bytes of from as AsyncIterable<Buffer>) {
    for (const message of pair.reader.read(way, bytes)) {
      if (!pair.over) await show(state, { pair, way, to }, message);
    }
  }
}

async function show(
  state: State,
  { pair, way, to }: { readonly pair: Pair; readonly way: Way; readonly to: Socket },
  { label, bytes }: Message,
): Promise<void> {
  let passed = false;
  const pass = () => {
    if (!passed) to.write(bytes);
    passed = true;
  };
  const fate = await state.look({ way, label, pid: pair.reader.pid?.(), pass });
  if (fate === 'pass') pass();
  else end(pair, fate);
}
